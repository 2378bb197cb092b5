// What a server says reaches errors and outcomes at every stage: there it has no control character, and is not of any length.
import { plain } from '@ehlo/sasl';
import { describe, expect, test } from 'vitest';
import { type ClientError, type ConnectOptions, connectOn, outcomeText, replyText } from '../src/index.ts';
import { but, type Script, ScriptedServer, tlsInfo, willing } from './scripted.ts';

/** Octets of UTF-8: C0 but for CR and LF, DEL, C1, and what turns the direction of a line. */
const EVIL = Buffer.from('\x00\x07\x1b[2J\x7f\x9b31m\u202e\u2066\u061c\u200f and more').toString('latin1');
const LONG = 'x'.repeat(400);
const SHOWN = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;
const auth = { mechanisms: [plain()], user: 'joe', password: 'correct horse' };

/** A refusal of three lines that are long and evil. */
const refusal = (code: number): string => [`${code}-${EVIL}`, `${code}-${LONG}${EVIL}`, `${code} ${LONG}${LONG}`].join('\r\n');

describe('why there is no session', () => {
  test.each<[string, Script, ConnectOptions]>([
    ['the greeting', but({ '': refusal(554) }), {}],
    ['a greeting that is none', but({ '': `${EVIL}${LONG}${LONG}${LONG}` }), {}],
    ['the answer to EHLO', but({ EHLO: refusal(550) }), {}],
    ['421', but({ EHLO: refusal(421) }), {}],
    ['STARTTLS', but({ STARTTLS: refusal(454) }, ['STARTTLS']), { starttls: 'required' }],
    ['AUTH', but({ AUTH: refusal(535) }, ['AUTH PLAIN']), { auth, credentials: 'cleartext' }],
    ['mechanisms', willing([`AUTH X${LONG} Y${LONG} Z${LONG}`]), { auth, credentials: 'cleartext' }],
  ])('%s', async (_, script, options) => {
    const server = new ScriptedServer(script);
    server.secure = () => Promise.resolve(tlsInfo(true));
    const error = (await connectOn(server, options).catch((why: unknown) => why)) as ClientError;
    expect(error.name).toBe('ClientError');
    expect(error.message).toMatch(SHOWN);
    expect(error.message.length).toBeLessThan(1100);
  });

  test('what the transport tells of the peer, such as the names of a certificate', async () => {
    const server = new ScriptedServer(but({}, ['STARTTLS']));
    server.secure = () => Promise.reject(new Error(`not in the certificate: DNS:${Buffer.from(EVIL, 'latin1')}${LONG}${LONG}${LONG}`));
    const error = (await connectOn(server, { starttls: 'required' }).catch((why: unknown) => why)) as ClientError;
    expect(error).toMatchObject({ code: 'tls-failed', message: expect.stringMatching(SHOWN) });
    expect(error.message.length).toBeLessThan(1100);
  });
});

test.each(['MAIL', 'RCPT', 'DATA', 'END'])('what became of a recipient, by the answer to %s', async (verb) => {
  const client = await connectOn(new ScriptedServer(but({ [verb]: refusal(550) })));
  const { outcomes } = await client.send({ reversePath: '', recipients: ['ann@b.example'] }, 'Subject: x\r\n\r\nx\r\n');
  const text = outcomeText(outcomes[0]!);
  expect(text).toMatch(SHOWN);
  expect(text).toMatch(/^550 /);
  expect(text.length).toBeLessThan(1100);
  // The reply itself is data (RFC 6531 3.7.4.1).
  expect(outcomes[0]).toMatchObject({ reply: { code: 550, lines: [expect.stringContaining('\u202e'), expect.any(String), LONG + LONG] } });
  await client.close();
});

test('a reply on one line', () => {
  expect(replyText({ code: 250, lines: ['a\u009bb', 'c\u202ed'] })).toBe('250 a\\x9bb c\\u{202e}d');
});
