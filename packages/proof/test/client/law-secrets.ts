// Law 11: what is shown does not depend on what is secret, whatever a server does with it.
import { inspect } from 'node:util';
import { AUTH } from '@ehlo/engine';
import { decodeUtf8, encodeBase64, octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { type ClientClass, type Played, play } from '../../src/index.ts';
import { holds, type Law, property, same } from '../laws/law.ts';
import { mail } from './scenarios.ts';

const hex = (text: string): string[] => [...text].map((octet) => octet.charCodeAt(0).toString(16).padStart(2, '0'));
const numbered =
  (before: string, behind = '') =>
  (text: string): string =>
    hex(text)
      .map((digits) => before + digits.toUpperCase() + behind)
      .join('');
/** As it is where that is allowed, else by its number. */
const mixed =
  (plain: RegExp, before: string) =>
  (text: string): string =>
    [...text].map((octet) => (plain.test(octet) ? octet : before + hex(octet)[0]!.toUpperCase())).join('');
const base64 = (text: string): string => encodeBase64(octets(text));

/** How a server may write what it has been told. */
const SPELLINGS: readonly ((secret: string) => string)[] = [
  (secret) => secret,
  (secret) => `<${secret}>`,
  (secret) => secret.toUpperCase(),
  (secret) => secret + secret,
  base64,
  (secret) => base64(`x${secret}`).replaceAll('=', ''),
  (secret) => base64(`xy${secret}z`).replaceAll('+', '-').replaceAll('/', '_'),
  (secret) => base64(`\0joe\0${secret}`),
  (secret) => base64(secret).replaceAll(/(.{8})/g, '$1 '),
  (secret) => hex(secret).join(''),
  (secret) => hex(secret).join(':').toUpperCase(),
  (secret) =>
    hex(secret)
      .map((digits) => `0x${digits}`)
      .join(', '),
  numbered('%'),
  numbered('='),
  numbered('\\x'),
  numbered('\\u00'),
  numbered('&#x', ';'),
  mixed(/[\w.~-]/, '%'),
  mixed(/[!-*,-<>-~]/, '+'),
  mixed(/[!-<>-~]/, '='),
  (secret) => `"${secret.replaceAll(/["\\]/g, '\\$&')}"`,
  (secret) => secret.replaceAll(/./gs, '\\$&'),
];

/** Where a server may say it. */
const REPLIES: readonly ((said: string) => string)[] = [
  (said) => `535 5.7.8 what is ${said}?\r\n`,
  (said) => `535-${said}\r\n535 no\r\n`,
  (said) => `235 2.7.0 ${said} is right\r\n`,
  (said) => `${said}\r\n`,
  (said) => `334 ${base64(said)}\r\n`,
  (said) => `250 ${said}\r\n`,
  (said) => `421 4.7.0 ${said}\r\n`,
  (said) => `535 ${said}\n`,
  (said) => `535 \0${said}\r\n`,
  (said) => `535-no\r\n235 ${said}\r\n`,
];

/** Two characters in the same place of two passwords: of both or of neither it is known that they are beyond ASCII, for a reply that holds some is odd. */
const printed = fc.nat(0x5d).map((code) => String.fromCharCode(0x21 + code));
const character = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(printed, printed) },
  { weight: 1, arbitrary: fc.constantFrom([' ', ' '] as const, ['\xc3\xa9', '\xc3\xa9'] as const) },
);

/** Two secrets of one length. */
const two = fc
  .array(character, { minLength: 1, maxLength: 40 })
  .map((pairs) => [pairs.map(([one]) => one).join(''), pairs.map(([, other]) => other).join('')] as const);

/** Cuts what is said into lines of one reply, with an enhanced code on each, or not. */
function inPieces(said: string, at: readonly number[], head: string): string {
  const places = at.map((place) => place % (said.length + 1)).sort((a, b) => a - b);
  const pieces = [0, ...places].map((from, i) => said.slice(from, places[i]));
  return pieces.map((piece, i) => `535${i < pieces.length - 1 ? '-' : ' '}${head}${piece}\r\n`).join('');
}

interface Dialogue {
  readonly reply: (said: string) => string;
  readonly spelling: (secret: string) => string;
  readonly later: boolean;
  readonly known: boolean;
  readonly initial: boolean;
  readonly sizes: readonly number[];
}

/** A client that is told to authenticate, and a server that repeats the secret: in its exchange, or behind it. */
function shown(Client: ClientClass, secret: string, { reply, spelling, later, known, initial, sizes }: Dialogue): string {
  const response = octets(`\0joe\0${secret}`);
  const said = reply(spelling(secret));
  const first = later ? '235 2.7.0 welcome\r\n' : said;
  const bytes = octets(secret);
  const played: Played = play({
    Client,
    client: { hostname: 'client.example.org', features: [AUTH], credentials: 'cleartext', trace: true },
    errand: {
      jobs: [mail()],
      auth: {
        mechanism: 'PLAIN',
        initial: initial ? response : null,
        responses: [response, null],
        ...(known ? { words: { names: ['joe'], secrets: [decodeUtf8(bytes, 0, bytes.length)] } } : {}),
      },
    },
    script: {
      EHLO: ['250-mx.example.net\r\n250 AUTH PLAIN\r\n'],
      AUTH: initial ? [first] : ['334 \r\n'],
      RESPONSE: [first, '501 no\r\n'],
      MAIL: [later ? said : '250 ok\r\n'],
    },
    cut: (text) => cut(text, sizes),
  });
  holds(played.clear.includes(encodeBase64(response)), 'it was not sent');
  return `${JSON.stringify(played.events)} ${inspect(played.events, { depth: 9, showHidden: true })}`;
}

function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0, i = 0; at < text.length; i++) {
    const size = sizes[i % sizes.length]!;
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 });
const dialogue = fc.record({
  reply: fc.oneof(
    fc.constantFrom(...REPLIES),
    fc.tuple(fc.array(fc.nat(200), { minLength: 1, maxLength: 4 }), fc.constantFrom('', '5.7.8 ')).map(
      ([at, head]) =>
        (said: string) =>
          inPieces(said, at, head),
    ),
  ),
  spelling: fc.constantFrom(...SPELLINGS),
  later: fc.boolean(),
  known: fc.boolean(),
  initial: fc.boolean(),
  sizes,
});

const secrets = property(
  'client 11: what is told does not depend on what is secret, however the server repeats it',
  fc.tuple(two, dialogue),
  (Client: ClientClass, [[one, other], how]) => {
    // Of a secret that is too short to be looked for nothing is promised but in its exchange (and a line that is none ends the session there).
    const later = how.later && one.length >= 8;
    const [first, second] = [one, other].map((secret) => shown(Client, secret, { ...how, later })) as [string, string];
    same(first, second, JSON.stringify([how.spelling(one), later, how.known]));
  },
);

export const CLIENT_SECRET_LAWS: readonly Law<ClientClass>[] = [secrets];
