// What a mail of the test server says of its parts, beside what a kept reader of MIME says of the same octets.
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { type Mail, testServer } from '../../src/testing.ts';

const text = 'Grüße — «hello» there';
const html = '<p>Grüße &amp; <a href="https://a.example/?x=1&amp;y=2">hello</a></p>';
const file = { filename: 'naïve report.txt', content: 'content of it' };
const image = { filename: 'dot.png', cid: 'dot@a.example', content: Buffer.from([137, 80, 78, 71, 0, 255]) };

const composed: [string, object][] = [
  ['text', { subject: 'Grüße', text }],
  ['HTML', { subject: 'x'.repeat(300), html }],
  ['both', { text, html }],
  ['both, with an image and a file', { text, html, attachments: [file, image] }],
  ['a long file name', { text, attachments: [{ ...file, filename: `${'日本語'.repeat(30)}.txt` }] }],
  ['a calendar', { text, icalEvent: { content: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n' } }],
  ['base64', { text, html, textEncoding: 'base64' }],
  ['a message within', { text, attachments: [{ contentType: 'message/rfc822', content: 'Subject: y\r\n\r\nz\r\n' }] }],
];
const written: [string, string][] = [
  ['no header at all', '\r\ntext\r\n'],
  ['no body at all', 'Subject: x\r\n'],
  [
    'a charset of its own',
    'Subject: =?iso-8859-2?Q?=B1?=\r\nContent-Type: text/plain; charset=iso-8859-2\r\nContent-Transfer-Encoding: 8bit\r\n\r\n=B1\r\n',
  ],
  ['one that nobody knows', 'Content-Type: text/plain; charset=x-unknown\r\n\r\ntext\r\n'],
  [
    'encoded words in a file name',
    'Content-Type: application/x; name="=?utf-8?q?=C3=BC.bin?="\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n',
  ],
  ['no end', 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: application/x\r\n\r\ntwo\r\n'],
];

async function received(octets: Uint8Array): Promise<Mail> {
  await using mx = await testServer();
  const { connect } = (await import('../../src/index.ts')) as typeof import('../../src/index.ts');
  await using client = await connect({ host: mx.host, port: mx.port });
  await client.send({ reversePath: 'ann@example.org', recipients: ['bob@example.org'] }, octets);
  return await mx.next();
}

const tidy = (said: string | null | undefined) => (said ?? '').replaceAll('\r\n', '\n').trim();

async function compare(octets: Uint8Array): Promise<void> {
  const mail = await received(octets);
  expect(mail.raw).toEqual(new Uint8Array(octets));
  const theirs = await PostalMime.parse(octets, { forceRfc822Attachments: true });
  expect(mail.subject).toBe(theirs.subject ?? '');
  expect(tidy(mail.text)).toBe(tidy(theirs.text));
  expect(tidy(mail.html)).toBe(tidy(theirs.html));
  // The other reader ends the lines of what is text in its own way.
  const shown = (content: Uint8Array) => tidy(new TextDecoder('latin1').decode(content));
  expect(mail.attachments.map(({ filename, type, content }) => [filename, type, shown(content)])).toEqual(
    theirs.attachments.map((one) => [one.filename, one.mimeType, shown(new Uint8Array(one.content as ArrayBuffer))]),
  );
}

describe('as another reader finds it', () => {
  test.each(composed)('%s', async (_, options) => {
    const built = await new MailComposer({ from: 'ann@example.org', to: 'bob@example.org', ...options }).compile().build();
    await compare(new Uint8Array(built));
  });

  test.each(written)('%s', async (_, message) => {
    await compare(new TextEncoder().encode(message).map((octet) => octet));
  });
});
