// Grammar and engine as they are built and published, unchanged, in every runtime: the same text comes out of one script.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const MAIN = at('./runtimes/main.mjs');
/** A first start may have to warm up a cache. */

// The packages' own binaries, not their shims: no shell, no look-up in PATH. They are made by their install scripts.
const RUNTIMES = {
  deno: {
    binary: at('../node_modules/deno/deno'),
    options: ['run', '--no-config', '--no-lock', '--node-modules-dir=manual', '--cached-only'],
  },
  bun: { binary: at('../node_modules/bun/bin/bun.exe'), options: ['run', '--no-install'] },
} as const;

let expected = '';

beforeAll(async () => {
  expected = await run(process.execPath, []);
});

test('the script says something of everything', () => {
  expect(expected.split('\n').length).toBeGreaterThan(70);
  for (const word of ['misplaced-dot-local', 'space-after-colon', '"220 mx.example.org', '354 Start mail input', '"type":"closed"']) {
    expect(expected).toContain(word);
  }
});

test.each(Object.entries(RUNTIMES))('%s', async (_, { binary, options }) => {
  expect(existsSync(binary), `${binary} is made when the package is installed`).toBe(true);
  expect(await run(binary, options)).toBe(expected);
});

test('a browser: bundled, in a context with no global but the language', async () => {
  const { outputFiles } = await build({
    entryPoints: [at('./runtimes/smoke.mjs')],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    globalName: 'bundle',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });
  const context = createContext(Object.create(null) as object);
  expect(runInContext('typeof process + typeof TextEncoder + typeof setTimeout', context)).toBe('undefined'.repeat(3));
  runInContext(outputFiles[0]?.text ?? '', context);
  expect(`${runInContext('bundle.smoke()', context)}\n`).toBe(expected);
});

async function run(binary: string, options: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(binary, [...options, MAIN], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  expect(stderr).toBe('');
  return stdout;
}
