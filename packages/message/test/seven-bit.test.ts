import { readFileSync } from 'node:fs';
import { latin1, octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CannotConvert, SevenBitConverter, type SevenBitOptions, SevenBitSurvey, toSevenBit } from '../src/seven-bit.ts';
import { SEVEN_BIT_REASONS } from '../src/words.ts';

interface Vector {
  readonly name: string;
  readonly message: string;
  readonly addresses?: readonly string[];
  readonly becomes?: string;
  readonly cannot?: string;
  readonly enhanced?: string;
  readonly part?: number | null;
}

const file = new URL('../../../test-vectors/message/seven-bit.json', import.meta.url);
const { messages } = JSON.parse(readFileSync(file, 'utf8')) as { messages: readonly Vector[] };

const text = (bytes: Uint8Array): string => latin1(bytes, 0, bytes.length);

/** Both passes, over a message that comes in pieces of this size, each overwritten when it was given. */
function convert(message: string, options: SevenBitOptions = {}, size = message.length + 1): string | CannotConvert {
  const bytes = octets(message);
  const pieces = (push: (chunk: Uint8Array) => void): void => {
    for (let at = 0; at < bytes.length; at += size) {
      const chunk = bytes.slice(at, at + size);
      push(chunk);
      chunk.fill(0x2a);
    }
  };
  const survey = new SevenBitSurvey(options);
  pieces((chunk) => survey.push(chunk));
  const way = survey.end();
  expect(survey.cannot).toEqual(way.cannot === null ? null : way);
  if (way.cannot !== null) return way;
  const converter = new SevenBitConverter(way, options);
  let whole = '';
  const take = (): void => {
    for (let out = converter.next(); out !== null; out = converter.next()) whole += text(out);
  };
  pieces((chunk) => {
    converter.push(chunk);
    take();
  });
  converter.end();
  take();
  return whole;
}

describe.each(messages)('$name', ({ message, addresses, becomes, cannot, enhanced, part }) => {
  const options = addresses === undefined ? {} : { addresses };

  test('is what it becomes, or why it can not be, in pieces of every size', () => {
    for (let size = 1; size <= message.length; size++) {
      const result = convert(message, options, size);
      if (becomes !== undefined) expect(result).toBe(becomes);
      else expect(result).toEqual({ cannot, enhanced, part });
    }
    const whole = toSevenBit(octets(message), options);
    expect(whole instanceof Uint8Array ? text(whole) : whole.cannot).toEqual(becomes ?? cannot);
  });

  test.runIf(becomes !== undefined)('stays so', () => {
    expect(convert(becomes!, options)).toBe(becomes);
  });
});

test('every reason has a message', () => {
  const shown = new Set(messages.map(({ cannot }) => cannot).filter((one) => one !== undefined));
  expect([...shown, 'limits'].sort()).toEqual(Object.keys(SEVEN_BIT_REASONS).sort());
});

test('what is beyond the limits can not be told', () => {
  const message = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--\r\n';
  expect(convert(message, { parts: 2 })).toBe(message);
  for (const options of [{ parts: 1 }, { depth: 0 }, { header: { field: 10 } }])
    expect(convert(message, options)).toMatchObject({ cannot: 'limits' });
});

test('it is told before the rest is read', () => {
  const survey = new SevenBitSurvey();
  survey.push(octets('Subject: \u00c3\u00a4\r\n\r\n'));
  expect(survey.cannot?.cannot).toBe('utf8-header');
});

/** A reader of its own: the contents of all leaves, decoded. It knows multiparts by their boundary, and messages within. */
function leaves(entity: string): string[] {
  const [, header = '', body = ''] = /^((?:[^\r]+\r\n)*)(?:\r\n)?([\s\S]*)$/.exec(entity)!;
  const value = (name: string): string => new RegExp(`^${name}: (.*)\r$`, 'im').exec(header)?.[1] ?? '';
  const boundary = /boundary=(\w+)/.exec(value('content-type'))?.[1];
  if (boundary !== undefined) {
    const parts = `\r\n${body}`.split(`\r\n--${boundary}`);
    return parts.slice(1, -1).flatMap((part) => leaves(part.replace(/^\r\n/, '')));
  }
  if (value('content-type') === 'message/rfc822') return leaves(body);
  const encoding = value('content-transfer-encoding');
  const longest = encoding === 'base64' || encoding === 'quoted-printable' ? 76 : Number.POSITIVE_INFINITY;
  expect(body.split('\r\n').filter((line) => line.length > longest)).toEqual([]);
  if (encoding === 'base64') return [Buffer.from(body, 'base64').toString('latin1')];
  if (encoding !== 'quoted-printable') return [body];
  const joined = body.replaceAll('=\r\n', '');
  return [joined.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))];
}

const content = fc.oneof(
  fc
    .array(fc.constantFrom('\r\n', ' ', '\t', 'text ', '=', '\u00c3\u00a9', '--', '--b1', '-', '.', 'x'.repeat(74), 'From '), {
      maxLength: 30,
    })
    .map((all) => all.join('')),
  fc.uint8Array({ maxLength: 200 }).map(text),
  fc.uint8Array({ min: 0x80, maxLength: 200 }).map(text),
);
const CODED = fc.constantFrom('', 'Content-Transfer-Encoding: 8bit\r\n', 'content-transfer-encoding: Binary (so)\r\n');
let boundaries = 0;
const { entity } = fc.letrec<{ entity: string }>((tie) => ({
  entity: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'parts' },
    fc.tuple(CODED, content).map(([coded, body]) => `${coded}Content-Type: text/plain\r\n\r\n${body}`),
    fc.tuple(CODED, fc.array(tie('entity'), { minLength: 1, maxLength: 3 })).map(([coded, parts]) => {
      const boundary = `z${boundaries++ % 1000}`;
      return `${coded}Content-Type: multipart/mixed; boundary=${boundary}\r\n\r\n${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`;
    }),
    fc.tuple(CODED, tie('entity')).map(([coded, inner]) => `${coded}Content-Type: message/rfc822\r\n\r\nMIME-Version: 1.0\r\n${inner}`),
  ),
}));

test('every leaf is what it was, all is 7-bit, and what is encoded has lines of 76', () => {
  let encoded = 0;
  const property = fc.property(entity, fc.integer({ min: 1, max: 50 }), (inner, size) => {
    const message = `MIME-Version: 1.0\r\n${inner}`;
    const result = convert(message);
    if (typeof result !== 'string') expect.fail(result.cannot);
    expect(convert(message, {}, size)).toBe(result);
    // A line end that a message lacks is added.
    const [before, after] = [leaves(message), leaves(result)];
    expect(after.slice(0, -1)).toEqual(before.slice(0, -1));
    expect([before.at(-1), `${before.at(-1)}\r\n`]).toContain(after.at(-1));
    if (result !== message) encoded++;
    expect(result).not.toMatch(/[\0\x80-\xff]/);
    expect(result.split('\r\n').filter((line) => line.length > 998 || /[\r\n]/.test(line))).toEqual([]);
    expect(convert(result)).toBe(result);
  });
  fc.assert(property, { numRuns: 1500, seed: 6152 });
  expect(encoded).toBeGreaterThan(500);
});

test('no octet makes it throw; what comes out has nothing beyond ASCII', () => {
  const piece = fc.constantFrom(
    '--b',
    '\r\n',
    '\r\n',
    '\n',
    '\r',
    '\u00e9',
    'x',
    ': ',
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n',
    'Content-Type: multipart/signed; boundary=b\r\n\r\n',
    'Content-Transfer-Encoding: base64\r\n',
    'Content-Type: message/rfc822\r\n\r\n',
    'DKIM-Signature: l=0;h\r\n',
    '--b--\r\n',
    '\r\n--b\r\n',
    '\0',
  );
  const property = fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 1, max: 20 }), (pieces, size) => {
    const message = pieces.join('');
    const result = convert(message);
    expect(convert(message, {}, size)).toEqual(result);
    if (typeof result === 'string') expect(result).not.toMatch(/[\x80-\xff]/);
  });
  fc.assert(property, { numRuns: 2000, seed: 2045 });
});
