// Law 11: what a log may hold.
import { inspect } from 'node:util';
import { encodeBase64, octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { Conversation } from '../../src/laws/conversation.ts';
import type { SessionClass } from '../../src/laws/record.ts';
import { type Law, property, same } from './law.ts';
import { cut, type Scenario, sizes, WILLING } from './scripts.ts';

/** A colon makes a line a header field of another protocol. */
const letter = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code === 0x3a ? 0x3b : code));

/**
 * Two passwords of one length, from one octet on. Their first octet is none of base64: where a line breaks, and whether it is a verb, is the
 * same for both.
 */
const two: fc.Arbitrary<readonly [string, string]> = fc
  .tuple(fc.constantFrom(...'!#$%&'), fc.constantFrom(...'!#$%&'), fc.array(fc.tuple(letter, letter), { maxLength: 39 }))
  .map(([one, other, rest]) => {
    const word = (first: string, place: 0 | 1): string => first + rest.map((pair) => pair[place]).join('');
    return [word(one, 0), word(other, 1)];
  });

const base64 = (text: string): string => encodeBase64(octets(text));

/** How clients let a password slip into a line, by intent and by mistake. */
const FORMS: readonly ((secret: string) => string)[] = [
  (secret) => `AUTH PLAIN ${base64(`\0joe\0${secret}`)}\r\n`,
  (secret) => `auth plain ${base64(`\0joe\0${secret}`)}\r\n`,
  (secret) => `AUTH LOGIN\r\n${base64('joe')}\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH LOGIN ${base64(secret)}\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH PLAIN\r\n${base64(`\0joe\0${secret}`)}\r\n`,
  // Broken: no mechanism, none that is offered, no space, too many, other white space, no base64, an unfinished one.
  // What no name of a mechanism may hold is told by its place.
  (secret) => `AUTH ${base64(`\0joe\0${secret}`).replaceAll(/[+/]/g, 'x')}\r\n`,
  (secret) => `AUTH ${base64(secret).replaceAll(/[=+/]/g, '').slice(0, 19)}\r\n`,
  (secret) => `AUTH NOPE ${base64(secret)}\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH NOPE\r\n${base64(secret)}\r\n${secret}\r\n`,
  (secret) => `AUTHPLAIN ${base64(secret)}\r\n`,
  (secret) => `AUTHLOGIN\r\n${base64('joe')}\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH  PLAIN  ${base64(secret)}\r\n`,
  (secret) => ` AUTH PLAIN ${base64(secret)}\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH\tPLAIN\t${base64(secret)}\r\n`,
  (secret) => `AUTH PLAIN ${secret}\r\n${secret}\r\n`,
  (secret) => `AUTH PLAIN joe ${secret}\r\n`,
  (secret) => `AUTH PLAIN ${base64(secret).slice(0, -3)}\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH LOGIN\r\n${base64(secret).slice(0, -3)}\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH LOGIN\r\n*\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH LOGIN\r\n${secret}\r\n`,
  (secret) => `AUTH LOGIN\n${base64(secret)}\n${base64(secret)}\r\n`,
  (secret) => `AUTH PLAIN ${base64(secret)}\n`,
  (secret) => `AUTH PLAIN ${base64(secret).repeat(400)}\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH LOGIN\r\n${base64(secret).repeat(900)}\r\n${base64(secret)}\r\n`,
  // Refused before it is read: out of order, without TLS, not offered at all, done before.
  (secret) => `MAIL FROM:<a@b.example>\r\nAUTH LOGIN\r\n${base64(secret)}\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH PLAIN AGEAYg==\r\nAUTH LOGIN\r\n${base64(secret)}\r\n${base64(secret)}\r\n`,
  // Around chunks: refused, in their place, behind a lost one.
  (secret) => `BDAT 2\r\nxxAUTH LOGIN\r\n${base64(secret)}\r\n${base64(secret)}\r\n`,
  (secret) => `MAIL FROM:<a@b.example>\r\nBDAT 0\r\nAUTH LOGIN ${base64(secret)}\r\n${base64(secret)}\r\nRSET\r\n`,
  (secret) => `AUTH LOGIN\r\nBDAT x\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH NOPE\r\n${base64(secret)} BDAT 4\r\n${base64(secret)}\r\n`,
  // To another session that begins.
  (secret) => `XCLIENT NAME=p.example\r\nAUTH LOGIN\r\n${base64(secret)}\r\n${base64(secret)}\r\n`,
  (secret) => `RSET\r\nAUTH LOGIN\r\n${base64(secret)}\r\n${secret}\r\n`,
];

type Answers = readonly (readonly [answer: 'accept' | 'reject' | 'never', challenges: number])[];

/** All that a logger would write of a conversation, and what a console would show of what holds a secret. */
function toldOf(Session: SessionClass, options: Scenario['options'], answers: Answers, stream: string, sizes: readonly number[]): string {
  const told: string[] = [];
  const talked = new Conversation(Session, options, ({ type }, number) => {
    const [answer, challenges] = answers[number % answers.length]!;
    return { ...WILLING, answer: type === 'auth' ? answer : 'accept', challenges };
  });
  const nextEvent = talked.recorder.nextEvent.bind(talked.recorder);
  talked.recorder.nextEvent = () => {
    const event = nextEvent();
    if (event !== null) told.push(JSON.stringify(event));
    if (event?.type === 'auth') told.push(inspect(event, { depth: 9, showHidden: true }));
    return event;
  };
  talked.pump();
  talked.segment(cut(stream, sizes));
  return told.join('\n');
}

const secrecy: Law = property(
  '11: what is told does not depend on what is secret',
  fc.tuple(
    two,
    fc.array(fc.nat({ max: FORMS.length - 1 }), { minLength: 1, maxLength: 3 }),
    fc.constantFrom('EHLO c.example\r\n', 'EHLO c.example\r\n', 'EHLO c.example\r\n', 'HELO c.example\r\n', ''),
    fc.constantFrom(
      { starttls: 'off' as const },
      { starttls: 'off' as const },
      { starttls: 'offered' as const },
      { starttls: 'required' as const },
    ),
    fc.constantFrom<string[]>(['PLAIN', 'LOGIN'], ['PLAIN', 'LOGIN'], ['LOGIN'], []),
    fc.constantFrom({ commandLine: 1248 }, {}, { faults: 2 }, { faultDelay: 77 }),
    fc.array(fc.tuple(fc.constantFrom('accept' as const, 'reject' as const, 'never' as const), fc.nat({ max: 2 })), {
      minLength: 1,
      maxLength: 3,
    }),
    sizes,
  ),
  (Session, [secrets, forms, hello, starttls, mechanisms, limits, answers, sizes]) => {
    const options: Scenario['options'] = {
      hostname: 'mx.example.org',
      preset: 'sink',
      ask: ['auth', 'mail'],
      auth: { mechanisms, inClear: starttls.starttls === 'off' },
      trace: true,
      limits: { faults: 1000, ...limits },
      trust: ['XCLIENT'],
      ...starttls,
    };
    const [one, other] = secrets.map((secret) =>
      toldOf(Session, options, answers, hello + forms.map((form) => FORMS[form]!(secret)).join(''), sizes),
    );
    same(one, other, JSON.stringify([secrets, forms]));
  },
);

export const SECRET_LAWS: readonly Law[] = [secrecy];
