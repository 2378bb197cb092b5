import type { Catalogue, Check, ExpectStep, Requirement, Step, Verdict } from './check.ts';
import { type Judgement, judge } from './judge.ts';
import { type DialogueLine, nameOf, Session, Stuck } from './session.ts';
import type { Target } from './target.ts';

/** What became of a check. */
export interface Finding {
  readonly id: string;
  readonly title: string;
  readonly verdict: Verdict | 'skipped';
  /** Why it is so: what is broken, the words that permit it, what was not decided, or the precondition that is not met. Null where it conforms. */
  readonly because: string | null;
  /** The section that those words are from. */
  readonly section: string | null;
  /** What the check shows; of a violation, what the step shows that failed. */
  readonly requirements: readonly Requirement[];
  /** What the deciding step expected; null where none decided. */
  readonly expected: string | null;
  readonly seen: string | null;
  readonly dialogue: readonly DialogueLine[];
}

/** Order of verdicts: the worst of a check is its own. */
const RANK: readonly Verdict[] = ['conforms', 'permitted', 'inconclusive', 'violates'];

/** Runs one check over a connection of its own. */
export async function runCheck(check: Check, target: Target, catalogue: Catalogue): Promise<Finding> {
  let session: Session;
  try {
    session = new Session(await target.dial(), target);
  } catch (error) {
    return finding(check, catalogue, [], { ...NO_STEP, verdict: 'inconclusive', because: `no connection: ${(error as Error).message}` });
  }
  let worst: Decided = NO_STEP;
  try {
    await session.reach(check.begin, check.needs?.login !== false);
    worst = await runSteps(check.steps, session, target);
  } catch (error) {
    if (!(error instanceof Stuck)) throw error;
    worst = { ...NO_STEP, verdict: 'inconclusive', because: error.message };
  } finally {
    await session.leave();
  }
  return finding(check, catalogue, session.dialogue, worst);
}

/** The judgement that counts, and the step that it is of. */
interface Decided extends Pick<Judgement, 'verdict' | 'section' | 'because'> {
  readonly step: ExpectStep | null;
  readonly seen: string | null;
}

const NO_STEP: Decided = { verdict: 'conforms', section: null, because: null, step: null, seen: null };

async function runSteps(steps: readonly Step[], session: Session, { slow, extensions }: Target): Promise<Decided> {
  const labels = new Set<string>();
  const known = extensions.map((keyword) => `|${keyword.replaceAll(/[^A-Za-z0-9-]/g, '')}`).join('');
  let worst = NO_STEP;
  for (const step of steps) {
    if ((step.if !== undefined && !labels.has(step.if)) || (step.unless !== undefined && labels.has(step.unless))) continue;
    if (!('expect' in step)) {
      const failure = await act(step, session);
      if (failure !== null) return worse(worst, failure);
      continue;
    }
    for (let i = 0; i < (step.times ?? 1); i++) {
      const seen = await session.hear(step.within);
      const situation = { refused: session.refused, waitedLong: slow || step.within !== undefined, extensions: known };
      const judgement = judge(step, seen, situation);
      if (judgement.as !== null) labels.add(judgement.as);
      worst = worse(worst, { ...judgement, step, seen: nameOf(seen) });
      if (judgement.stop) return worst;
    }
  }
  return worst;
}

function worse(one: Decided, other: Decided): Decided {
  return RANK.indexOf(other.verdict) > RANK.indexOf(one.verdict) ? other : one;
}

/** Does what is not waiting for an answer. Returns what it means where that fails. */
async function act(step: Exclude<Step, ExpectStep>, session: Session): Promise<Decided | null> {
  if ('send' in step) await session.say(step.send, step.cut === 'octets');
  else if ('wait' in step) await session.wait(step.wait);
  else if (step.do === 'end') session.end();
  else if (step.do === 'reset') session.reset();
  else if (step.fails === undefined) await session.secure();
  else {
    const failed = await session.secure().then(
      () => false,
      () => true,
    );
    if (failed) return { ...NO_STEP, ...step.fails, section: step.fails.section ?? null };
  }
  return null;
}

/** A finding without a session: the check was not run. */
export function skipped(check: Check, catalogue: Catalogue, precondition: string): Finding {
  return { ...finding(check, catalogue, [], NO_STEP), verdict: 'skipped', because: precondition };
}

function finding(
  { id, title, steps }: Check,
  { requirements }: Catalogue,
  dialogue: readonly DialogueLine[],
  { verdict, section, because, step, seen }: Decided,
): Finding {
  const shows = step?.shows ?? steps.flatMap((one) => ('expect' in one ? (one.shows ?? []) : []));
  const shown = [...new Set(shows)].flatMap((name) => (requirements[name] === undefined ? [] : [requirements[name]]));
  const broken = verdict === 'violates' ? (shown[0]?.statement ?? title) : null;
  return {
    id,
    title,
    verdict,
    because: because ?? broken,
    section: section ?? (verdict === 'violates' ? (shown[0]?.section ?? null) : null),
    requirements: shown,
    expected: step === null ? null : step.expect.join(' or '),
    seen,
    dialogue,
  };
}
