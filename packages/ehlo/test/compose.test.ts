// What `ehlo send` composes: no option writes another header than it says, and what can't be written is told.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { afterAll, expect, test } from 'vitest';
import { openComposer } from '../src/compose.ts';
import type { Composition } from '../src/send-options.ts';

const ENVELOPE = { reversePath: 'a@b.example', recipients: ['c@d.example'] };
const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), 'ehlo-compose-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function composed(composition: Composition, envelope: typeof ENVELOPE = ENVELOPE): Promise<string> {
  const next = await openComposer(composition, envelope, signal);
  const { message } = await next();
  const parts: Uint8Array[] = [];
  for await (const bytes of (message as () => AsyncIterable<Uint8Array>)()) parts.push(bytes);
  return Buffer.concat(parts).toString('latin1');
}

test.each<[string, Composition, RegExp, Partial<typeof ENVELOPE>?]>([
  ['a subject of two lines', { subject: 'a\nb' }, /^--subject is one line: it has a CR, LF or NUL$/],
  ['a subject with a NUL', { subject: 'a\0b' }, /^--subject is one line/],
  ['a bell', { subject: 'ding\x07' }, /^--subject has a control character$/],
  ['a field of two lines', { header: ['X-A: b\nX-C: d'] }, /^--header is one line/],
  ['a recipient of two lines', { subject: 'x' }, /^an address is one line/, { recipients: ['b@b.example\r\nX-A: b'] }],
  ['a sender of two lines', { subject: 'x' }, /^an address is one line/, { reversePath: 'b@b.example\nX-A: b' }],
  ['a field without a value', { header: ['X-A: '] }, /^--header is a name, a colon and a value/],
  ['no field', { header: ['X A: b'] }, /^--header is a name, a colon and a value/],
  ['a field twice', { subject: 'a', header: ['subject: b'] }, /^Subject stands in a header once \(RFC 5322 3\.6\), and is given twice$/],
  ['another twice', { header: ['To: a@b.example', 'TO: c@d.example'] }, /^To stands in a header once/],
  ['Bcc', { header: ['bcc: eve@e.example'] }, /^Bcc would be seen by all/],
  ['a type of its own', { header: ['Content-Type: text/x'] }, /^Content-Type follows from --body/],
  ['a version of its own', { header: ['MIME-Version: 2.0'] }, /^Mime-Version follows from --body/],
  ['a field that is longer than a line', { subject: 'x'.repeat(1000) }, /^a field of the header has no space to fold it at/],
  ['nobody who writes it', { body: 'x' }, /^--from <> writes no letter/, { reversePath: '' }],
  ['a file that is not there', { attach: [join(folder, 'none')] }, /^--attach: ENOENT/],
])('%s', async (_, composition, why, envelope = {}) => {
  await expect(composed(composition, { ...ENVELOPE, ...envelope })).rejects.toThrow(why);
});

test('a text is UTF-8', async () => {
  const file = join(folder, 'binary');
  writeFileSync(file, Uint8Array.of(0xff, 0xfe));
  await expect(composed({ html: `@${file}` })).rejects.toThrow(/is no text in UTF-8; --attach takes any file$/);
});

test('any subject, field and text of lines that are given is what a reader of others finds, and no field beside', async () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((text) => !/\p{Cc}/u.test(text));
  const words = fc.string({ unit: 'grapheme-ascii', maxLength: 60 }).map((text) => text.trim().replaceAll(/ +/g, ' '));
  const property = fc.asyncProperty(words, words, line, async (subject, value, body) => {
    // Of a value that looks like an encoded word nobody knows whether it is one.
    fc.pre(value !== '' && !`${subject}${value}`.includes('=?') && !/^[-@]/.test(body));
    const octets = await composed({ subject, header: [`X-Field: ${value}`], body });
    const mail = await PostalMime.parse(Buffer.from(octets, 'latin1'));
    expect([mail.subject ?? '', (mail.text ?? '').replace(/\r?\n$/, '')]).toEqual([subject, body]);
    // Who writes nothing of what it is about, or nothing at all, has no field for it.
    const wanted = ['content-type', 'date', 'from', 'message-id', 'mime-version', ...(subject === '' ? [] : ['subject']), 'to', 'x-field'];
    expect(
      mail.headers
        .map(({ key }) => key)
        .filter((key) => key !== 'content-transfer-encoding')
        .sort(),
    ).toEqual(wanted);
    expect(mail.headers.find(({ key }) => key === 'x-field')?.value).toBe(value);
    expect(Math.max(...octets.split('\r\n').map(({ length }) => length))).toBeLessThanOrEqual(998);
  });
  await fc.assert(property, { numRuns: 150 });
});

test('where the library is not installed, it is said what to install', async () => {
  const missing = (): Promise<never> => Promise.reject(new Error("Cannot find package 'nodemailer'"));
  await expect(openComposer({ subject: 'x' }, ENVELOPE, signal, missing)).rejects.toThrow(
    /composed by nodemailer 10, which is not installed: npm install nodemailer \(or npx --package ehlo --package nodemailer ehlo send/,
  );
});
