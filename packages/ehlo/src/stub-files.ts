import { readFile } from 'node:fs/promises';
import { SmtpUsageError } from '@ehlo/engine';
import { checkStubFile, type PresetName, STUB_PRESETS, type StubFile, StubSet } from '@ehlo/testing';
import { Json5Error, type Place, parseJson5 } from './json5.ts';

/** What is wrong with a file of stubs; the message says it all. */
export class StubsError extends Error {}

/** The stubs of `ehlo serve`, and how to read their files anew. */
export interface LoadedStubs {
  readonly stubs: StubSet;
  /** What is wrong is thrown, and changes nothing. Memories begin anew. */
  readonly reload: () => Promise<void>;
}

/** Presets by their names, and files; the last is asked first. Null where none is named. */
export async function loadStubs(names: readonly string[] = []): Promise<LoadedStubs | null> {
  if (names.length === 0) return null;
  const stubs = new StubSet();
  const reload = async (): Promise<void> => stubs.preset(...(await Promise.all(names.map(load))));
  await reload();
  return { stubs, reload };
}

async function load(name: string): Promise<StubFile> {
  if (Object.hasOwn(STUB_PRESETS, name)) return STUB_PRESETS[name as PresetName];
  const text = await readFile(name, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const presets = Object.keys(STUB_PRESETS).join(', ');
    throw new StubsError(
      error.code === 'ENOENT' ? `--stubs: there is no file ${name}, nor a preset of that name: ${presets}` : `--stubs: ${error.message}`,
    );
  });
  const at = ({ line, column }: Place): string => `--stubs: ${name}:${line}:${column}`;
  try {
    const { value, placeOf } = parseJson5(text);
    try {
      return checkStubFile(value);
    } catch (error) {
      if (!(error instanceof SmtpUsageError)) throw error;
      // The message begins with the path of what is wrong, or names it.
      const path = /(?:^|option |^there is no )(stubs(?:\.[\w$-]+)*)/.exec(error.message)?.[1] ?? '';
      throw new StubsError(`${at(placeOf(path))}: ${error.message}`);
    }
  } catch (error) {
    if (error instanceof Json5Error) throw new StubsError(`${at(error.place)}: ${error.message}`);
    throw error;
  }
}
