import { readFile } from 'node:fs/promises';
import { didYouMean, SmtpUsageError } from '@ehlo/engine';
import { checkStubFile, type PresetName, STUB_PRESETS, type StubFile, StubSet } from '@ehlo/testing';
import { Json5Error, type Place, parseJson5 } from './json5.ts';

/** The stubs of `ehlo serve`, and how to read their files anew. */
export interface LoadedStubs {
  readonly stubs: StubSet;
  /** What is wrong is thrown, and changes nothing. Memories begin anew. Null where no file was named. */
  readonly reload: (() => Promise<void>) | null;
}

/** Presets by their names, and files; the last is asked first. Where none is named: null, or none yet if some may be made later. */
export async function loadStubs(names: readonly string[] = [], later = false): Promise<LoadedStubs | null> {
  const stubs = new StubSet();
  if (names.length === 0) return later ? { stubs, reload: null } : null;
  const reload = async (): Promise<void> => stubs.preset(...(await Promise.all(names.map(load))));
  await reload();
  return { stubs, reload };
}

async function load(name: string): Promise<StubFile> {
  if (Object.hasOwn(STUB_PRESETS, name)) return STUB_PRESETS[name as PresetName];
  const text = await readFile(name, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const presets = Object.keys(STUB_PRESETS);
    throw new Error(
      error.code === 'ENOENT'
        ? `--stubs: there is no file ${name}, nor a preset of that name${didYouMean(name, presets, '')}; there are ${presets.join(', ')}`
        : `--stubs: ${name} can't be read: ${error.message}`,
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
      throw new Error(`${at(placeOf(path))}: ${error.message}`);
    }
  } catch (error) {
    if (error instanceof Json5Error) throw new Error(`${at(error.place)}: ${error.message}`);
    throw error;
  }
}
