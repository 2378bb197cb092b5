// Work is linear in the octets, whatever they are: octets that are looked at are counted, and for readers of texts the steps of the program.

import { encodeUtf8, octets } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import { type Parser, reads } from '../../grammar/test/reads.ts';
import { ANY_ADDRESS, parseAddressList } from '../src/address.ts';
import { parseDate } from '../src/date.ts';
import { ANY_WORD, formatUnstructured, parseUnstructured } from '../src/encoded-word.ts';
import { envelopeOf } from '../src/envelope.ts';
import { ANY_HEADER, addDate, type Field, foldLines, HeaderReader, MessageEditor, removeBcc, signaturesOf } from '../src/index.ts';
import { parseMessageIds } from '../src/message-id.ts';
import {
  listIdOf,
  listUrisOf,
  parseAuthenticationResults,
  parseAutoSubmitted,
  parseContentType,
  parseDisposition,
  parseTransferEncoding,
} from '../src/mime.ts';
import { PartReader } from '../src/multipart.ts';
import { parseDeliveryStatus, parseFeedback, parseTlsReport, readReport } from '../src/report.ts';
import { SevenBitSurvey, toSevenBit } from '../src/seven-bit.ts';
import { steps } from './steps.ts';

/** What repeats, in the ways in which messages nest or list: `begin` as often as fits, then `end`, in pairs if it closes. */
const SHAPES: Readonly<Record<string, readonly [repeated: string, end: string]>> = {
  'comments in each other': ['(', ')'],
  'comments that are open': ['(', ''],
  'comments in a row': ['(a)', ''],
  'comments and folds': [' (\r\n a)', ''],
  'quoted strings': ['"a" ', '@b'],
  'quotes that are open': ['"', ''],
  backslashes: ['\\', ''],
  spaces: [' ', 'a'],
  'lines of white space': ['\r\n ', 'a'],
  words: ['a ', ''],
  dots: ['.', '@b'],
  'dots and spaces': ['a . ', '@b'],
  'domains of a route': ['@a,', ':a@b>'],
  commas: [',', 'a@b'],
  addresses: ['a@b, ', 'a@b'],
  'names and addresses': ['a <a@b>, ', 'a@b'],
  'angle brackets': ['<', '>'],
  identifiers: ['<a@b> ', ''],
  groups: ['a:;, ', 'a@b'],
  'groups that are open': ['a:', ''],
  brackets: ['[', ']'],
  'encoded words': ['=?utf-8?q?a?= ', ''],
  'encoded words that are open': ['=?utf-8?q?', ''],
  'encoded words of half characters': ['=?utf-8?q?=C3?= ', ''],
  'equals signs': ['=', ''],
  parameters: [';a=b', ''],
  'parameters in sections': [';a*0=b', ''],
  'parameters with quotes': [';a="', ''],
  'names of parameters': [';a', ''],
  colons: [':', ''],
  semicolons: [';', ''],
  lines: ['a\r\n', ''],
  'blank lines': ['\r\n', ''],
  fields: ['To: a@b\r\n', '\r\n'],
  'folded lines': ['\r\n b', '\r\n\r\n'],
  'carriage returns': ['\r', ''],
  'line feeds': ['\n', ''],
  hyphens: ['-', ''],
  delimiters: ['--b\r\n', '--b--'],
  'delimiters that go on': ['--bx\r\n', ''],
  'close delimiters': ['--b--\r\n', ''],
  'recipients of a report': ['\r\nFinal-Recipient: rfc822; a@b\r\nAction: failed\r\n', ''],
  'addresses of a text': ['<a@b.example>: no such user\r\n', ''],
  digits: ['1', ''],
  'zones and days': ['Mon, ', ''],
  'characters beyond ASCII': ['\xc3\xa9', '@b'],
  'lead octets': ['\xf0', ''],
  'objects of JSON': ['{"a":', ''],
  'lists of JSON': ['[', ']'],
  NUL: ['\0', ''],
};

function fieldsOf(bytes: Uint8Array): readonly Field[] {
  const reader = new HeaderReader({ tolerate: ANY_HEADER });
  reader.push(bytes);
  reader.end();
  const fields: Field[] = [];
  for (let event = reader.next(); event !== null; event = reader.next()) if (event.type === 'field') fields.push(event.field);
  return fields;
}

const MIXED = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n';
const nothing = (): void => undefined;

function parts(bytes: Uint8Array): void {
  const reader = new PartReader({ part: nothing, content: nothing, end: nothing }, { messages: true });
  reader.push(bytes);
  reader.end();
}

/** Readers of octets, with what may stand before the shape. */
const READERS: Readonly<Record<string, readonly [Parser, readonly string[]]>> = {
  HeaderReader: [fieldsOf, ['', 'Subject: ', 'To: a\r\n']],
  'parseAddressList, by default': [(bytes) => parseAddressList(bytes), ['', 'a <', 'a@b, "', '<@', 'a:']],
  'parseAddressList, of any kind': [(bytes) => parseAddressList(bytes, { tolerate: ANY_ADDRESS }), ['', 'a <', 'a@b, "', '<@', 'a:']],
  parseMessageIds: [(bytes) => parseMessageIds(bytes), ['', '<', '<a@[']],
  parseDate: [(bytes) => parseDate(bytes), ['', 'Mon, 1 Jan 2026 00:00:00 +0000 ', '1 Jan 2026 ']],
  parseContentType: [(bytes) => parseContentType(bytes), ['', 'text/plain', 'text/plain;']],
  parseDisposition: [(bytes) => parseDisposition(bytes), ['', 'attachment;']],
  parseTransferEncoding: [(bytes) => parseTransferEncoding(bytes), ['', '7bit ']],
  parseAutoSubmitted: [(bytes) => parseAutoSubmitted(bytes), ['', 'no;']],
  parseAuthenticationResults: [(bytes) => parseAuthenticationResults(bytes), ['', 'mx.example; spf=pass ', 'mx.example;']],
  'List fields': [(bytes) => [listIdOf(bytes), listUrisOf(bytes)], ['', '<a>, ']],
  parseUnstructured: [(bytes) => parseUnstructured(bytes), ['']],
  PartReader: [parts, ['', MIXED, `${MIXED}--b\r\n`, 'Content-Type: message/rfc822\r\n\r\n']],
};

const SMALL = 2000;
const LARGE = 100_000;
/** Every octet may be looked at so many times: by the letter and with the obsolete forms, to measure, and to make the value. */
const READS = 40;

describe.each(Object.entries(READERS))('octets that %s looks at', (_, [parse, prefixes]) => {
  test.each(Object.entries(SHAPES))('%s', (_, shape) => {
    for (const prefix of prefixes) {
      const [once, twice] = [SMALL, 2 * SMALL].map((size) => reads(parse, bytesOf(prefix, shape, size))) as [number, number];
      expect(twice, `${prefix}…: ${once} octets read of ${SMALL}, ${twice} of ${2 * SMALL}`).toBeLessThanOrEqual(2.2 * once + 500);
      expect(twice, prefix).toBeLessThanOrEqual(READS * 2 * SMALL);
      // A recursion that is as deep as the text is long does not return from this one.
      parse(bytesOf(prefix, shape, LARGE));
    }
  });
});

function sevenBit(bytes: Uint8Array): void {
  const survey = new SevenBitSurvey();
  survey.push(bytes);
  const way = survey.end();
  if (way.cannot === null) toSevenBit(bytes);
}

function edit(bytes: Uint8Array): void {
  const editor = new MessageEditor([removeBcc(), addDate({ date: 0 }), foldLines(78)], { tolerate: ANY_HEADER });
  editor.push(bytes);
  editor.end();
  while (editor.next() !== null);
}

/** In pieces of one octet. */
function byOctet(push: (octet: Uint8Array) => void, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) push(bytes.subarray(i, i + 1));
}

function headerByOctet(bytes: Uint8Array): void {
  const reader = new HeaderReader({ tolerate: ANY_HEADER });
  byOctet((octet) => {
    reader.push(octet);
    while (reader.next() !== null);
  }, bytes);
}

function partsByOctet(bytes: Uint8Array): void {
  const reader = new PartReader({ part: nothing, content: nothing, end: nothing });
  byOctet((octet) => reader.push(octet), bytes);
  reader.end();
}

const REPORT = 'From: MAILER-DAEMON@a.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n';
const STATUS = `${REPORT}--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n`;

/** Readers of texts, and of pieces. */
const STEPPERS: Readonly<Record<string, readonly [Parser, readonly string[]]>> = {
  'HeaderReader, octet by octet': [headerByOctet, ['', 'Subject: ']],
  'PartReader, octet by octet': [partsByOctet, [MIXED]],
  MessageEditor: [edit, ['', 'Subject: ', 'DKIM-Signature: h=']],
  envelopeOf: [(bytes) => envelopeOf(fieldsOf(bytes)), ['To: ']],
  signaturesOf: [(bytes) => signaturesOf(fieldsOf(bytes)), ['DKIM-Signature: h=', 'DKIM-Signature: ']],
  'parseUnstructured, of any kind': [(bytes) => parseUnstructured(bytes, { tolerate: ANY_WORD }), ['', '=?utf-8?b?']],
  formatUnstructured: [(bytes) => formatUnstructured(new TextDecoder().decode(bytes), { column: 9 }), ['']],
  parseAddressList: [(bytes) => parseAddressList(bytes, { tolerate: ANY_ADDRESS }), ['']],
  parseContentType: [(bytes) => parseContentType(bytes), ['text/plain']],
  readReport: [(bytes) => readReport(bytes), [REPORT, STATUS, 'From: MAILER-DAEMON@a.example\r\nSubject: failed\r\n\r\n']],
  parseDeliveryStatus: [(bytes) => parseDeliveryStatus(bytes), ['', 'Reporting-MTA: dns; a\r\n\r\nFinal-Recipient: ']],
  parseFeedback: [(bytes) => parseFeedback(bytes), ['Feedback-Type: ', 'Reported-URI: ']],
  parseTlsReport: [(bytes) => parseTlsReport(bytes), ['', '{"policies":[']],
  'SevenBitSurvey and -Converter': [sevenBit, [MIXED, 'MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\n']],
};

describe.each(Object.entries(STEPPERS))('steps of %s', (_, [parse, prefixes]) => {
  test('every shape', () => {
    for (const [name, shape] of Object.entries(SHAPES)) {
      for (const prefix of prefixes) {
        const sizes = [4 * SMALL, 8 * SMALL].map((size) => bytesOf(prefix, shape, size)) as [Uint8Array, Uint8Array];
        const [once, twice] = sizes.map((bytes) => steps(() => parse(bytes))) as [number, number];
        const told = `${name} behind ${JSON.stringify(prefix)}: ${once} steps for ${sizes[0].length} octets, ${twice} for ${sizes[1].length}`;
        expect(twice, told).toBeLessThanOrEqual(2.3 * once + 5000);
        expect(twice, told).toBeLessThanOrEqual(400 * sizes[1].length);
        parse(bytesOf(prefix, shape, LARGE));
      }
    }
  });
});

test('the steps are counted', () => {
  const [few, many] = [10, 1000].map((size) => steps(() => parseDate(' '.repeat(size)))) as [number, number];
  expect(few).toBeGreaterThan(0);
  expect(many - few).toBeGreaterThanOrEqual(990);
});

function textOf([repeated, end]: readonly [string, string], size: number): string {
  const closes = [')', ']', '>'].includes(end);
  const count = Math.floor(size / (repeated.length + (closes ? 1 : 0)));
  // What nests is closed as often as it is opened.
  return repeated.repeat(count) + (closes ? end.repeat(count) : end);
}

function bytesOf(prefix: string, shape: readonly [string, string], size: number): Uint8Array {
  return octets(prefix + textOf(shape, size));
}

test('octets are octets', () => expect(bytesOf('', ['\xc3\xa9', ''], 4)).toEqual(encodeUtf8('\u00e9\u00e9')));
