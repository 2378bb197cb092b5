// Readers of messages and of the values of their fields.
import { parseAddressList } from '../../packages/message/dist/address.js';
import { parseDate } from '../../packages/message/dist/date.js';
import { formatUnstructured, parseUnstructured } from '../../packages/message/dist/encoded-word.js';
import { HeaderReader, MessageEditor, removeBcc } from '../../packages/message/dist/index.js';
import { parseMessageIds } from '../../packages/message/dist/message-id.js';
import { parseAuthenticationResults, parseContentType, parseDisposition } from '../../packages/message/dist/mime.js';
import { PartReader } from '../../packages/message/dist/multipart.js';
import { parseTlsReport, ReportReader } from '../../packages/message/dist/report.js';
import { toSevenBit } from '../../packages/message/dist/seven-bit.js';
import { anyChunking, demand, octetsOf, same, textOf, texts } from './laws.mjs';

function headerOf(pieces) {
  const reader = new HeaderReader();
  const found = [];
  const take = () => {
    for (let event = reader.next(); event !== null; event = reader.next()) {
      const last = found.at(-1);
      if (event.type === 'body' && last?.body !== undefined) last.body += textOf(event.bytes);
      else if (event.type === 'body') found.push({ body: textOf(event.bytes) });
      else found.push(structuredClone(event));
    }
  };
  for (const piece of pieces) {
    reader.push(piece);
    take();
  }
  reader.end();
  take();
  return found;
}

/** A message that is not edited comes out as it went in. */
function editedOf(pieces, edits) {
  const editor = new MessageEditor(edits);
  let text = '';
  let refused = false;
  const take = () => {
    for (let event = editor.next(); event !== null; event = editor.next()) {
      if (event.type === 'octets') text += textOf(event.bytes);
      else if (event.type === 'refused') refused = true;
    }
  };
  for (const piece of pieces) {
    editor.push(piece);
    take();
  }
  editor.end();
  take();
  return refused ? null : text;
}

function header(input) {
  anyChunking(input, headerOf);
  anyChunking(input, (pieces) => editedOf(pieces, [removeBcc()]));
  const unedited = editedOf([input], []);
  if (unedited !== null) same(unedited, textOf(input), 'a message that nobody edits');
}

function partsOf(pieces) {
  const found = [];
  let text = '';
  const flush = () => {
    if (text !== '') found.push(text);
    text = '';
  };
  const sink = {
    part: ({ content, depth }) => {
      flush();
      found.push({ type: content.type, depth });
    },
    content: (bytes) => {
      text += textOf(bytes);
    },
    endPart: flush,
    end: (deviations) => found.push([...deviations].sort()),
  };
  const reader = new PartReader(sink, { messages: true });
  for (const piece of pieces) reader.push(piece);
  reader.end();
  flush();
  return found;
}

function reportOf(pieces) {
  const reader = new ReportReader();
  for (const piece of pieces) reader.push(piece);
  return structuredClone(reader.end());
}

/** What is converted is of seven bits, and converting it again changes nothing. */
function sevenBit(input) {
  const once = toSevenBit(input);
  if (!(once instanceof Uint8Array)) return;
  demand(!once.some((octet) => octet > 127), 'not of seven bits');
  const twice = toSevenBit(once);
  demand(twice instanceof Uint8Array, 'what was converted can not be converted');
  same(textOf(twice), textOf(once), 'converted twice');
}

const READERS = [
  parseAddressList,
  parseDate,
  parseMessageIds,
  parseContentType,
  parseDisposition,
  parseAuthenticationResults,
  parseTlsReport,
];

/** A value of a field is read, or what is wrong stands at a place in it. */
function value(input) {
  for (const read of READERS) {
    const parsed = read(input);
    if (parsed !== null && parsed.ok === false && 'offset' in parsed)
      demand(parsed.offset >= 0 && parsed.offset <= input.length, 'a place that is none', read.name, parsed);
  }
  const words = parseUnstructured(input).value;
  if (!/[\p{Cc}\p{Cs}\ufffd]| {2}|^ | $/u.test(words)) same(parseUnstructured(formatUnstructured(words)).value, words, 'words change');
}

const MIME = [
  'Content-Type: multipart/mixed; boundary=b\r\n',
  '--b\r\n',
  '--b--\r\n',
  '\r\n\r\n',
  '\r\n',
  'Content-Type: message/rfc822\r\n',
  'Content-Type: text/plain; charset=utf-8\r\n',
  'Content-Transfer-Encoding: base64\r\n',
  'Content-Transfer-Encoding: 8bit\r\n',
  'MIME-Version: 1.0\r\n',
  '=C3=BC',
  '\xc3\xbc',
  'From: a@b.example\r\n',
  'Bcc: c@d.example\r\n',
];
const REPORT = [
  'Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n',
  'Content-Type: message/delivery-status\r\n',
  'Final-Recipient: rfc822; a@b.example\r\n',
  'Action: failed\r\n',
  'Status: 5.1.1\r\n',
  'Reporting-MTA: dns; mx.example\r\n',
  'Diagnostic-Code: smtp; 550 no\r\n',
];
const messages = () => [
  ...texts('message/edits.json', 'message', 'before', 'input'),
  ...texts('message/seven-bit.json', 'message', 'input'),
  octetsOf(MIME.slice(0, 4).join('')),
  octetsOf(`${MIME.join('')}\r\n`),
];

export const MESSAGES = {
  header: { seeds: messages, words: MIME, run: header },
  parts: { seeds: messages, words: MIME, run: (input) => void anyChunking(input, partsOf) },
  report: {
    seeds: () => [...texts('message/bounces.json', 'message', 'mail', 'input').slice(0, 80), octetsOf(REPORT.join('')), ...messages()],
    words: [...MIME, ...REPORT],
    run: (input) => void anyChunking(input, reportOf),
  },
  sevenbit: { seeds: messages, words: MIME, run: sevenBit },
  value: {
    seeds: () =>
      ['addresses', 'dates', 'parameters', 'encoded-words'].flatMap((file) => texts(`message/${file}.json`, 'value').slice(0, 100)),
    words: [
      '=?utf-8?q?',
      '?=',
      '=?utf-8?b?',
      '<',
      '>',
      '@',
      ',',
      ';',
      ':',
      '"',
      '\\',
      '(',
      ')',
      'Thu, ',
      '1 Jan 1970 00:00:00 ',
      '+0000',
      "*0*=utf-8''%20",
      '; a="b"',
      'text/plain',
      'spf=pass',
      '{"',
      '}',
    ],
    run: value,
  },
};
