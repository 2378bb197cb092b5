import { encodeUtf8 } from '@ehlo/grammar';
import { HeaderReader } from '@ehlo/message';
import { parseAddressList } from '@ehlo/message/address';
import { readReport } from '@ehlo/message/report';
import { simpleParser } from 'mailparser';
import PostalMime, { addressParser } from 'postal-mime';
import { parseHeaderAddress } from './grammar.ts';
import type { Effort } from './row.ts';

const MIB = 1024 * 1024;

/** Values of From, To and Cc as messages have them, with the number of their elements. */
const LISTS: readonly (readonly [value: string, elements: number])[] = [
  ['joe@example.org', 1],
  ['Jane Doe <jane.doe@mail.example.com>', 1],
  ['"Tolkien, J. R. R." <j.r.r.tolkien@books.example.co.uk>, info@example.de', 2],
  ['Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>', 3],
  ['Undisclosed recipients:;', 1],
  ['A Group: Ed Jones <c@a.test>, joe@where.test, John <jdoe@one.test>;', 1],
  ['=?utf-8?q?J=C3=B6rg_Doe?= <joerg@example.com> (work)', 1],
  [Array.from({ length: 20 }, (_, i) => `Person Number ${i} <person.${i}@mail.example.org>`).join(', '), 20],
];

const FIELDS = 40;
const HEADER = encodeUtf8(
  `${Array.from(
    { length: FIELDS / 4 },
    (_, i) =>
      `Received: from a${i}.example (a${i}.example [192.0.2.7])\r\n\tby mx.example.org with ESMTPS id ${i}ABC\r\n\tfor <joe@example.org>; Mon, 16 Nov 2026 09:15:02 +0100\r\nX-Note-${i}: some words of a field that nobody reads, as there are many in messages\r\nX-Folded-${i}: one two three four five six seven eight nine ten eleven twelve\r\n thirteen fourteen fifteen sixteen\r\nX-Score-${i}: ${i}.${i}\r\n`,
  ).join('')}\r\n`,
);

/** A delivery report about three recipients, with the message that came back. */
const REPORT = encodeUtf8(
  [
    'From: Mail Delivery System <MAILER-DAEMON@mx.example.org>',
    'To: ann@example.org',
    'Subject: Undelivered Mail Returned to Sender',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"',
    '',
    '--b1',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'Your message could not be delivered.',
    '',
    '--b1',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.org',
    'Arrival-Date: Mon, 16 Nov 2026 09:15:00 +0000',
    ...['joe', 'sue', 'tim'].flatMap((name) => [
      '',
      `Final-Recipient: rfc822; ${name}@example.net`,
      'Action: failed',
      'Status: 5.1.1',
      'Remote-MTA: dns; mail.example.net',
      `Diagnostic-Code: smtp; 550 5.1.1 <${name}@example.net>: Recipient address rejected`,
    ]),
    '',
    '--b1',
    'Content-Type: message/rfc822',
    '',
    'From: Ann <ann@example.org>',
    'Subject: Minutes',
    '',
    ...Array.from({ length: 40 }, (_, i) => `Line ${i} of the message that came back, as long as lines of letters are.`),
    '',
    '--b1--',
    '',
  ].join('\r\n'),
);

export interface MessageFigures {
  /** MiB of reports a second; no other kept library says what one says of its recipients. */
  readonly reports: number[];
  /** Address lists a second. */
  readonly lists: Readonly<Record<'ehlo' | 'nodemailer' | 'postal-mime', number[]>>;
  /** MiB of headers a second. */
  readonly headers: Readonly<Record<'ehlo' | 'postal-mime' | 'mailparser', number[]>>;
}

type Work = () => void | Promise<void>;

/** The same lists and the same header for each. */
export async function measureMessage({ rounds, warmUp, milliseconds }: Effort): Promise<MessageFigures> {
  const figures: MessageFigures = {
    reports: [],
    lists: { ehlo: [], nodemailer: [], 'postal-mime': [] },
    headers: { ehlo: [], 'postal-mime': [], mailparser: [] },
  };
  const lists: Record<keyof MessageFigures['lists'], Work> = {
    ehlo: () =>
      each((value) => {
        const parsed = parseAddressList(value);
        return parsed.ok ? parsed.value.length : -1;
      }),
    nodemailer: () => each((value) => parseHeaderAddress(value).length),
    'postal-mime': () => each((value) => addressParser(value).length),
  };
  const headers: Record<keyof MessageFigures['headers'], Work> = {
    ehlo: () => checked(fieldsOf(HEADER), FIELDS),
    'postal-mime': async () => checked((await PostalMime.parse(HEADER)).headers.length, FIELDS),
    mailparser: async () => checked((await simpleParser(Buffer.from(HEADER))).headerLines.length, FIELDS),
  };
  const report: Work = () => {
    const read = readReport(REPORT);
    checked(read?.type === 'delivery-status' ? read.recipients.length : -1, 3);
  };
  // The rounds before the first warm up.
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of Object.keys(lists) as (keyof typeof lists)[]) {
      const rate = (await perSecond(lists[name], milliseconds)) * LISTS.length;
      if (round >= 0) figures.lists[name].push(rate);
    }
    const rate = ((await perSecond(report, milliseconds)) * REPORT.length) / MIB;
    if (round >= 0) figures.reports.push(rate);
    for (const name of Object.keys(headers) as (keyof typeof headers)[]) {
      const rate = ((await perSecond(headers[name], milliseconds)) * HEADER.length) / MIB;
      if (round >= 0) figures.headers[name].push(rate);
    }
  }
  return figures;
}

/** Every list, by its number of elements. */
function each(parse: (value: string) => number): void {
  for (const [value, elements] of LISTS) checked(parse(value), elements);
}

function fieldsOf(header: Uint8Array): number {
  const reader = new HeaderReader();
  reader.push(header);
  reader.end();
  let fields = 0;
  for (let event = reader.next(); event !== null; event = reader.next()) if (event.type === 'field') fields++;
  return fields;
}

function checked(found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${found} in place of ${wanted}`);
}

async function perSecond(work: Work, milliseconds: number): Promise<number> {
  const start = performance.now();
  let times = 0;
  let elapsed = 0;
  do {
    const done = work();
    if (done !== undefined) await done;
    times++;
    elapsed = performance.now() - start;
  } while (elapsed < milliseconds);
  return (times / elapsed) * 1000;
}
