// Builds the engine with one change in its source, in memory.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AuthFeature, ChunkingFeature, ClientOptions } from '@ehlo/engine';
import { build } from 'esbuild';
import type { ClientClass } from '../../src/client/sender.ts';
import type { SessionClass } from '../../src/laws/record.ts';
import type { Mutant } from './mutant.ts';

const ENGINE = fileURLToPath(new URL('../../../engine/src/', import.meta.url));

/** The server's session class of a mutant. Throws if its change does not fit the source any more. */
export async function plant(mutant: Mutant): Promise<SessionClass> {
  return (await engineOf(mutant)).ServerSession;
}

/** The client's session class of a mutant. Features that it is given are its own: the bug may be in them. */
export async function plantClient(mutant: Mutant): Promise<ClientClass> {
  const { ClientSession, AUTH, CHUNKING } = await engineOf(mutant);
  return class extends ClientSession {
    constructor(options: ClientOptions) {
      super({ ...options, features: (options.features ?? []).map(({ name }) => (name === 'auth' ? AUTH : CHUNKING)) });
    }
  };
}

interface Engine {
  readonly ServerSession: SessionClass;
  readonly ClientSession: ClientClass;
  readonly AUTH: AuthFeature;
  readonly CHUNKING: ChunkingFeature;
}

async function engineOf({ name, file, find, replace }: Mutant): Promise<Engine> {
  const source = readFileSync(ENGINE + file, 'utf8');
  if (source.split(find).length !== 2)
    throw new Error(`${name}: ${file} has ${source.split(find).length - 1} times ${JSON.stringify(find)}`);
  const { outputFiles } = await build({
    entryPoints: [`${ENGINE}index.ts`],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['@ehlo/source'],
    write: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'plant',
        setup({ onLoad }): void {
          onLoad({ filter: /[\\/]engine[\\/]src[\\/]/ }, ({ path }) =>
            path === ENGINE + file ? { contents: source.replace(find, () => replace), loader: 'ts' } : undefined,
          );
        },
      },
    ],
  });
  const code = Buffer.from(outputFiles[0]!.contents).toString('base64');
  return (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as Engine;
}
