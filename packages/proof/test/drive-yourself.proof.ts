// The examples run as they are, in every runtime.
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { dkimFault } from './dkim.ts';
import { root, text } from './house.ts';
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
  'refuse-unknown.mjs': `joe@EXAMPLE.org accepted: 250 2.6.0 Message accepted
Postmaster@example.org accepted: 250 2.6.0 Message accepted
eve@example.org refused: 550 5.1.1 no such user
joe@other.example refused: 550 5.7.1 no relaying
`,
  'file-to-disk.mjs': 'accepted 1 true true\n',
  'submission-with-users.mjs': `41 octets of ann by ESMTPA for bob@example.net
SCRAM-SHA-256, ann@example.org: accepted, 250 2.6.0 Message accepted
SCRAM-SHA-256, joe@example.org: refused, 550 5.7.1 not an address of yours
auth-refused 535
nobody: refused, 530 5.7.0 Authentication required (the server asks for AUTH: give credentials)
`,
  'lmtp-behind-postfix.mjs': `from 192.0.2.7
ann@example.org accepted: 250 2.6.0 Message accepted
bob@example.org refused: 452 4.2.2 mailbox full
eve@example.org refused: 550 5.1.1 no such user
`,
  'behind-haproxy.mjs': 'from 192.0.2.7\naccepted\n',
  'log-line.mjs': `MAIL joe@example.org {"size":1000} unknown: XVERP deviations: extra-space
RCPT ann@example.net {"notify":"NEVER"} unknown: XRULE=7,XFLAG deviations: 
RCPT bob@example.net {} unknown:  deviations: space-after-colon
wrong at octet 13: not a valid recipient address (Forward-path, RFC 5321 4.1.1.3)
`,
  'in-memory.mjs': '50 octets for ann@example.org\naccepted\n',
  'web-streams.mjs': '1188907 octets by ESMTPS for ann@example.org\naccepted\n',
  'websocket.mjs': '1188907 octets for ann@example.org\naccepted\n',
};

/** What says nothing by itself: `--shim` of `ehlo conform` drives it, and its test. */
const DRIVEN: readonly string[] = ['conform-shim.mjs', 'conform-server-shim.mjs'];

test('each example is known', () => {
  const names = readdirSync(`${root}examples`).filter((name) => name.endsWith('.mjs'));
  expect(names.sort()).toEqual([...Object.keys(SAID), ...DRIVEN].sort());
});

test.each(['lmtp-behind-postfix', 'behind-haproxy'])('docs/%s.md shows what its example does', (name) => {
  const blocks = Array.from(text(`docs/${name}.md`).matchAll(/^```js\n([\s\S]*?)^```/gm), ([, block]) => block!);
  expect(blocks).toHaveLength(1);
  expect(text(`examples/${name}.mjs`)).toContain(blocks[0]);
});

describe.each(Object.keys(RUNTIMES) as Runtime[])('%s', (runtime) => {
  test.each(Object.keys(SAID))('%s', async (name) => {
    const [binary, ...options] = RUNTIMES[runtime];
    const allowed = runtime === 'deno' ? ['--allow-env', '--allow-net', '--allow-read', '--allow-sys', '--allow-write'] : [];
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
