import type { Outcome, WorldOptions } from './world.ts';

/** Whether a world goes wrong, and how. */
export type Run = (options: WorldOptions) => Promise<Outcome>;

/**
 * The plainest world that still goes wrong: kinds of faults are left out as long as it does, then messages are halved. At the end its story is
 * told, of the first recipient for whom a law was broken. Null: it does not go wrong.
 */
export async function shrink(
  options: WorldOptions,
  run: Run,
): Promise<{ readonly options: WorldOptions; readonly violation: string; readonly story: readonly string[] } | null> {
  const isWrong = async (tried: WorldOptions): Promise<boolean> => (await run(tried)).violations.length > 0;
  if (!(await isWrong(options))) return null;
  let plain = options;
  for (const fault of options.faults) {
    const tried = { ...plain, faults: plain.faults.filter((one) => one !== fault) };
    if (await isWrong(tried)) plain = tried;
  }
  for (let messages = plain.messages >> 1; messages > 0; messages >>= 1) {
    const tried = { ...plain, messages };
    if (!(await isWrong(tried))) break;
    plain = tried;
  }
  const violation = (await run(plain)).violations[0]!;
  const about = violation.slice(0, violation.indexOf(': '));
  const { story } = await run({ ...plain, about });
  return { options: plain, violation, story };
}
