// Law 11: what a log may hold.
import { inspect } from 'node:util';
import { encodeBase64, octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { Conversation } from '../../src/laws/conversation.ts';
import { holds, type Law, property } from './law.ts';
import { cut, type Scenario, sizes, WILLING } from './scripts.ts';

/** A password that stands nowhere else: long enough that no part of eight octets comes about by chance. */
const password: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789#%!'), { minLength: 12, maxLength: 30 })
  .map((letters) => `q${letters.join('')}`);

const base64 = (text: string): string => encodeBase64(octets(text));

/** How clients let a password slip into a line, by intent and by mistake. */
const FORMS: readonly ((secret: string) => string)[] = [
  (secret) => `AUTH PLAIN ${base64(`\0joe\0${secret}`)}\r\n`,
  (secret) => `auth plain ${base64(`\0joe\0${secret}`)}\r\n`,
  (secret) => `AUTH LOGIN\r\n${base64('joe')}\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH LOGIN ${base64(secret)}\r\n${base64(secret)}\r\n`,
  (secret) => `AUTH PLAIN\r\n${base64(`\0joe\0${secret}`)}\r\n`,
  // Broken: no mechanism, none that is offered, no space, too many, other white space, no base64, an unfinished one.
  (secret) => `AUTH ${base64(`\0joe\0${secret}`)}\r\n`,
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

const secrecy: Law = property(
  '11: no secret stands in an event, a trace or an error',
  fc.tuple(
    password,
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
  (Session, [secret, forms, hello, starttls, mechanisms, limits, answers, sizes]) => {
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
    const told: string[] = [];
    const talked = new Conversation(Session, options, ({ type }, number) => {
      const [answer, challenges] = answers[number % answers.length]!;
      return { ...WILLING, answer: type === 'auth' ? answer : 'accept', challenges };
    });
    const nextEvent = talked.recorder.nextEvent.bind(talked.recorder);
    talked.recorder.nextEvent = () => {
      const event = nextEvent();
      // As a logger would write it; what holds a secret, as a console would, too.
      if (event !== null) told.push(JSON.stringify(event));
      if (event?.type === 'auth') told.push(inspect(event, { depth: 9, showHidden: true }));
      return event;
    };
    const stream = hello + forms.map((form) => FORMS[form]!(secret)).join('');
    try {
      talked.pump();
      talked.segment(cut(stream, sizes));
    } catch (error) {
      told.push(inspect(error));
      throw error;
    } finally {
      const shown = [...new Set(told)].join('\n').toUpperCase();
      const spellings = [secret, base64(secret), base64(`\0joe\0${secret}`), base64(secret.slice(1)), base64(secret.slice(2))];
      for (const spelling of spellings) {
        for (let i = 0; i + 8 <= spelling.length; i++) {
          const part = spelling.slice(i, i + 8);
          const at = shown.indexOf(part.toUpperCase());
          holds(at < 0, `${part} stands in ${shown.slice(Math.max(0, at - 80), at + 40)} after ${JSON.stringify(stream.slice(0, 200))}`);
        }
      }
    }
  },
);

export const SECRET_LAWS: readonly Law[] = [secrecy];
