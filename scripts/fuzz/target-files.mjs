// What a person writes: files of stubs, and options. Whatever is wrong with them is told by an error of ours.

import { Json5Error, parseJson5 } from '../../packages/ehlo/dist/json5.js';
import { ClientSession, ServerSession, SmtpUsageError } from '../../packages/engine/dist/index.js';
import { checkStubFile, STUB_PRESETS } from '../../packages/testing/dist/index.js';
import { demand, octetsOf, same } from './laws.mjs';

const text = (input) => Buffer.from(input).toString('utf8');

function only(kind, act) {
  try {
    return act();
  } catch (error) {
    // By its name: under tests there may be two of a class, one of its source.
    if (error?.constructor?.name === kind.name) return undefined;
    throw error;
  }
}

function stubs(input) {
  const read = only(Json5Error, () => parseJson5(text(input)));
  if (read === undefined) return;
  const json = JSON.stringify(read.value);
  if (json !== undefined) same(JSON.stringify(parseJson5(json).value), json, 'JSON is JSON5');
  only(SmtpUsageError, () => checkStubFile(read.value));
}

function options(input) {
  let given;
  try {
    given = JSON.parse(text(input));
  } catch {
    return;
  }
  for (const Session of [ServerSession, ClientSession]) {
    const session = only(SmtpUsageError, () => new Session(given));
    if (session !== undefined) demand(session.phase !== 'closed', 'a session that has ended before it began');
  }
}

const OPTIONS = [
  { hostname: 'mx.example.org', preset: 'mx', ask: ['rcpt', 'message'], limits: { faults: 1 }, starttls: 'offered', extensions: ['SIZE'] },
  {
    hostname: 'mx.example.org',
    preset: 'sink',
    auth: { mechanisms: ['PLAIN'], required: true },
    smallLimits: { recipients: 1 },
    trust: ['XCLIENT'],
  },
  { hostname: 'c.example', protocol: 'lmtp', pipelining: 'data', starttls: 'required', credentials: 'encrypted', newlines: 'crlf' },
];

export const FILES = {
  stubs: {
    seeds: () => [
      ...Object.values(STUB_PRESETS).map((preset) => octetsOf(JSON.stringify(preset))),
      octetsOf("{ stubs: [ { on: 'rcpt', match: { to: 'a@*' }, do: [{ reply: { code: 550 } }], }, ] } // x"),
    ],
    words: [
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      "'",
      '"',
      '//',
      '/*',
      '*/',
      'stubs',
      'on',
      'match',
      'do',
      'reply',
      'times',
      '__proto__',
      'constructor',
      'Infinity',
      'NaN',
      '0x1',
      '\\u00',
      '1e400',
      'null',
    ],
    run: stubs,
  },
  options: {
    seeds: () => OPTIONS.map((one) => octetsOf(JSON.stringify(one))),
    words: [
      '"hostname"',
      '"limits"',
      '"ask"',
      '"__proto__"',
      '"constructor"',
      'null',
      'true',
      '{}',
      '[]',
      '""',
      '-1',
      '1e400',
      '"PLAIN"',
      '"extensions"',
      '"XCLIENT"',
      '"BINARYMIME"',
      '"tolerate"',
      '"peer"',
    ],
    run: options,
  },
};
