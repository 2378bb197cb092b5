// The examples run as they are, in every runtime.
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { root } from './house.ts';
import { RUNTIMES, type Runtime } from './runtimes/subject.ts';

/** What each says at its end. */
const SAID: Record<string, string> = {
  'own-extension.mjs': '10 MiB\n18 octets for acme\nacme: accepted\nother: refused\n',
  'held-session.mjs': 'true\nfalse\nshutdown after 0 misses, lost after 3 misses\n',
  'in-memory.mjs': '50 octets for ann@example.org\naccepted\n',
  'web-streams.mjs': '1188907 octets for ann@example.org\naccepted\n',
  'websocket.mjs': '1188907 octets for ann@example.org\naccepted\n',
};

test('each example is known', () => {
  const names = readdirSync(`${root}examples`).filter((name) => name.endsWith('.mjs'));
  expect(names.sort()).toEqual(Object.keys(SAID).sort());
});

describe.each(Object.keys(RUNTIMES) as Runtime[])('%s', (runtime) => {
  test.each(Object.keys(SAID))('%s', async (name) => {
    const [binary, ...options] = RUNTIMES[runtime];
    const allowed = runtime === 'deno' ? ['--allow-env', '--allow-net', '--allow-read', '--allow-sys'] : [];
    const { stdout, stderr } = await promisify(execFile)(binary, [...options, ...allowed, `${root}examples/${name}`], {
      env: { ...process.env, NO_COLOR: '1' },
    });
    expect(stderr).toBe('');
    expect(stdout).toBe(SAID[name]);
  });
});
