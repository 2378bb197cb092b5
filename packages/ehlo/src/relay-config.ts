import { readFile } from 'node:fs/promises';
import { ConfigError, type RelayConfig, readConfig } from '@ehlo/relay';
import { Json5Error, parseJson5 } from './json5.ts';

/** What is wrong with the configuration of `ehlo relay`, one line for each; no secret among them. */
export class RelayConfigError extends Error {}

/** A configuration, and what says where in its file something is wrong. */
export interface ConfigFile {
  readonly config: RelayConfig;
  /** The same error with the places of the file; others as they are. */
  readonly placed: (error: unknown) => unknown;
}

/** Reads a configuration in JSON5. Throws `RelayConfigError`. */
export async function readConfigFile(file: string): Promise<ConfigFile> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new RelayConfigError(
      `--config: ${error.code === 'ENOENT' ? `there is no file ${file}` : `${file} can't be read: ${error.message}`}`,
    );
  });
  try {
    const { value, placeOf } = parseJson5(text);
    const placed = (error: unknown): unknown => {
      if (!(error instanceof ConfigError)) return error;
      const lines = error.problems.map(({ path, text: told }) => {
        const { line, column } = placeOf(path);
        return `${file}:${line}:${column}: ${told}`;
      });
      return new RelayConfigError(lines.join('\n'));
    };
    try {
      return { config: readConfig(value), placed };
    } catch (error) {
      throw placed(error);
    }
  } catch (error) {
    if (!(error instanceof Json5Error)) throw error;
    throw new RelayConfigError(`${file}:${error.place.line}:${error.place.column}: ${error.message}`);
  }
}
