// What a command loads: its own code, and nothing of the others.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PROGRAMS } from '../src/main.ts';

const BIN = fileURLToPath(new URL('../bin/ehlo.js', import.meta.url));
const HOOKS = `import { appendFileSync } from 'node:fs';
export async function load(url, context, next) {
  appendFileSync(process.env.LOADED, url + '\\n');
  return next(url, context);
}`;
const moduleOf = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;
const REGISTER = moduleOf(`import { register } from 'node:module'; register(${JSON.stringify(moduleOf(HOOKS))});`);

/** The packages of which a command loads something, what it loads of this one, and what it prints. */
function loadedBy(...args: readonly string[]): {
  readonly packages: readonly string[];
  readonly own: readonly string[];
  readonly said: string;
} {
  const file = join(mkdtempSync(join(tmpdir(), 'ehlo-loads-')), 'urls');
  const env = { ...process.env, LOADED: file };
  const { status, stderr, stdout } = spawnSync(process.execPath, ['--import', REGISTER, BIN, ...args], { env, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  const urls = readFileSync(file, 'utf8').split('\n');
  const matches = (pattern: RegExp): readonly string[] => [...new Set(urls.flatMap((url) => pattern.exec(url)?.[1] ?? []))].sort();
  return {
    packages: matches(/\/packages\/(?!ehlo\/)(\w+)\//),
    own: matches(/\/packages\/ehlo\/(?:dist|bin)\/([\w-]+)\.js$/),
    said: stdout,
  };
}

test.each([['--version'], ['--help'], ['help']])('%s loads no command', (...args) => {
  expect(loadedBy(...args)).toMatchObject({ packages: [], own: ['ehlo', 'exit-codes', 'main'] });
});

const TALK = ['driver', 'engine', 'grammar', 'message', 'node', 'sasl'];
const PACKAGES: { readonly [name: string]: readonly string[] } = {
  serve: [...TALK, 'delivery', 'proof', 'testing', 'web'],
  send: TALK,
  parse: ['grammar'],
  rfc: [],
  queue: ['engine', 'grammar', 'message', 'testing'],
  relay: [],
};

test.each(PROGRAMS.filter(({ hidden }) => hidden !== true))(
  '$name loads itself alone; its usage is as the list of all has it',
  ({ name, term }) => {
    const { packages, own, said } = loadedBy(name, '--help');
    if (name in PACKAGES) expect(packages).toEqual([...PACKAGES[name]!].sort());
    expect(own.filter((one) => one.endsWith('-program'))).toEqual([`${name}-program`]);
    expect(said).toMatch(`Usage: ehlo ${term}`);
    expect(loadedBy('help', name)).toEqual({ packages, own, said });
  },
);

test('a command behind -- is run', () => {
  expect(loadedBy('--', 'rfc', '5321', '4.1.4').said).toBe(loadedBy('rfc', '5321', '4.1.4').said);
});
