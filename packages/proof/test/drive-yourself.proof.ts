// The examples run as they are, in every runtime.
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { dkimFault } from './dkim.ts';
import { root } from './house.ts';
import { RUNTIMES, type Runtime } from './runtimes/subject.ts';

/** What each says. */
const SAID: Record<string, string | RegExp> = {
  'dkim-signer.mjs':
    /^signed for <ann@example\.org> to <joe@example\.net> <"a b"@example\.net>\n\{.*\}\nsigned for <ann@example\.org> to <eve@example\.net>\n\{.*\}\naccepted accepted accepted\n$/,
  'own-extension.mjs': '10 MiB\n18 octets for acme\nacme: accepted\nother: refused\n',
  'held-session.mjs': 'true\nfalse\nshutdown after 0 misses, lost after 3 misses\n',
  'log-in-where-offered.mjs': `SCRAM-SHA-256 accepted
the server refuses the credentials: 535 5.7.8 Authentication credentials invalid
null accepted
null accepted
`,
  'oauth-refresh.mjs': `day 1: accepted, OAUTHBEARER, refreshed 0 times
day 2: accepted, OAUTHBEARER, refreshed 1 times
day 3: accepted, OAUTHBEARER, refreshed 2 times
`,
  'pool-at-a-pace.mjs': '40 accepted\n2 connections at the most\nno more than 10 in 200 ms\n',
  'retry-by-outcome.mjs': `1 joe@example.org accepted: 250 2.6.0 Message accepted; never, it is accepted
1 nobody@example.org refused: 550 5.1.1 no such user; never, 5.1.1 is a permanent failure (RFC 3463 2)
1 greylisted@example.org refused: 451 4.7.1 come again; later, 4.7.1 is a transient failure (RFC 3463 2)
1 eve@example.org accepted: 250 2.6.0 Message accepted; never, it is accepted
1 bob@example.org unsent: 452 4.5.3 too many recipients; now, in another transaction or session (RFC 5321 4.5.3.1.10, RFC 9422 4)
half an hour passes (RFC 5321 4.5.4.1)
2 greylisted@example.org accepted: 250 2.6.0 Message accepted; never, it is accepted
2 bob@example.org accepted: 250 2.6.0 Message accepted; never, it is accepted
`,
  'in-memory.mjs': '50 octets for ann@example.org\naccepted\n',
  'web-streams.mjs': '1188907 octets by ESMTPS for ann@example.org\naccepted\n',
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
    const said = SAID[name]!;
    if (typeof said === 'string') expect(stdout).toBe(said);
    else expect(stdout).toMatch(said);
    if (name !== 'dkim-signer.mjs') return;
    const messages = stdout.split('\n').filter((line) => line.startsWith('{'));
    for (const line of messages) {
      const { publicKey, message } = JSON.parse(line) as { publicKey: string; message: string };
      expect(dkimFault(message, publicKey)).toBe(null);
      // The check sees what is changed: in a field that is signed, and in the body.
      expect(dkimFault(message.replace('Subject: signed', 'Subject: forged'), publicKey)).toBe('the signature is of another header');
      expect(dkimFault(message.replace('.1000 ', '.1001 '), publicKey)).toBe('the body is another');
      expect(message).toContain(' d=example.org;');
    }
    expect(messages).toHaveLength(2);
  });
});
