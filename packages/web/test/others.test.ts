// Paths of other mail catchers, in their shapes.
import { expect } from 'vitest';
import { LETTER, test } from './site.ts';

test('/api/v1: list, search, read, remove', async ({ site }) => {
  const id = await site.mail(LETTER);
  await site.mail('Subject: other\n\ntext\n');
  expect(await site.json('/api/v1/messages?limit=1')).toMatchObject({
    total: 2,
    unread: 2,
    count: 1,
    messages_count: 2,
    start: 0,
    messages: [{ Subject: 'other' }],
  });
  const found = (await site.json('/api/v1/search?query=subject:gr')) as unknown as { messages: { ID: string }[] };
  expect(found).toMatchObject({
    messages_count: 1,
    messages: [
      {
        ID: id,
        Read: false,
        From: { Name: 'Ann Ä', Address: 'ann@a.example' },
        To: [{ Name: 'Bob', Address: 'bob@b.example' }],
        MessageID: '1@a.example',
      },
    ],
  });
  expect(await site.json(`/api/v1/message/${id}`)).toMatchObject({
    ID: id,
    Subject: 'grüße',
    Text: 'Hello, see https://a.example/x.',
    HTML: expect.stringContaining('<script>'),
    ReturnPath: 'ann@a.example',
    Inline: [{ PartID: '2', ContentID: 'logo@a' }, { PartID: '3' }],
    Attachments: [{ PartID: '4', ContentType: 'text/html' }],
  });
  expect(await site.json('/api/v1/message/latest')).toMatchObject({ Subject: 'other' });
  expect((await site.ask(`/api/v1/message/${id}/raw`)).body.toString('latin1')).toBe(LETTER.replaceAll('\n', '\r\n'));
  expect(await site.json(`/api/v1/message/${id}/headers`)).toMatchObject({ Subject: ['grüße'], 'Return-Path': ['<ann@a.example>'] });
  expect((await site.ask(`/api/v1/message/${id}/part/0`)).body.toString()).toBe('Hello, see https://a.example/x.');
  expect((await site.ask(`/view/${id}.txt`)).body.toString()).toBe('Hello, see https://a.example/x.');
  expect((await site.ask(`/view/${id}`)).status).toBe(404);
  await site.ask('/api/v1/messages', { method: 'PUT', body: { IDs: [id], Read: true } });
  expect(await site.json('/api/v1/info')).toMatchObject({ Messages: 2, Unread: 1 });
  await site.ask('/api/v1/messages', { method: 'PUT', body: { IDs: [id], Read: false } });
  expect(await site.json('/api/v1/info')).toMatchObject({ Messages: 2, Unread: 2 });
  expect((await site.ask(`/api/v1/message/${id}/release`, { method: 'POST', body: { To: ['a@b'] } })).status).toBe(403);
  await site.ask('/api/v1/messages', { method: 'DELETE', body: { IDs: [id] } });
  expect((await site.ask('/api/v1/search?query=other', { method: 'DELETE' })).body.toString()).toBe('ok');
  expect(await site.json('/api/v1/messages')).toMatchObject({ total: 0, messages: [] });
  await site.mail(LETTER);
  await site.ask('/api/v1/messages', { method: 'DELETE' });
  expect(await site.json('/api/v1/messages')).toMatchObject({ total: 0 });
});

test('/email: list, read, source, attachment, remove', async ({ site }) => {
  const id = await site.mail(LETTER);
  const shape = {
    id,
    subject: 'grüße',
    from: [{ name: 'Ann Ä', address: 'ann@a.example' }],
    to: [{ name: 'Bob', address: 'bob@b.example' }],
    text: 'Hello, see https://a.example/x.',
    envelope: { from: { address: 'ann@a.example' }, to: [{ address: 'bob@b.example' }] },
  };
  expect(await site.json('/email')).toMatchObject([shape]);
  expect(await site.json(`/email/${id}`)).toMatchObject({ ...shape, attachments: [{ contentType: 'text/html' }] });
  expect((await site.ask(`/email/${id}/source`)).body.length).toBe(LETTER.replaceAll('\n', '\r\n').length);
  expect((await site.ask(`/email/${id}/download`)).headers['content-disposition']).toContain('.eml');
  const { attachments } = (await site.json(`/email/${id}`)) as unknown as { attachments: { generatedFileName: string }[] };
  const { status, body } = await site.ask(`/email/${id}/attachment/${encodeURIComponent(attachments[0]!.generatedFileName)}`);
  expect([status, body.toString()]).toEqual([200, '<script>alert(1)</script>']);
  expect(await site.json('/email/read-all', { method: 'PATCH' })).toBe(1);
  expect(await site.json(`/email/${id}`, { method: 'DELETE' })).toBe(true);
  expect((await site.ask(`/email/${id}`)).status).toBe(404);
  await site.mail(LETTER);
  await site.ask('/email/all', { method: 'DELETE' });
  expect(await site.json('/email')).toEqual([]);
  expect(await site.json('/healthz')).toBe(true);
});

test('HTML is shown as it is where a dark one is preferred, or a light one', async ({ site }) => {
  const html = (head: string): string =>
    `Content-Type: text/html\n\n<!doctype html>${head}<style>@media (Prefers-Color-Scheme:dark){p{color:#fff}}</style><p>x</p>\n`;
  const shown = async (head: string, scheme: string): Promise<string> =>
    (await site.ask(`/api/mails/${await site.mail(html(head))}/html?scheme=${scheme}`)).body.toString().trim();
  const plain = (answer: string): string => `<!doctype html><style>@media ${answer}{p{color:#fff}}</style><p>x</p>`;
  expect(await shown('', 'dark')).toBe(plain('(min-width:0)'));
  expect(await shown('', 'light')).toBe(plain('(max-width:0)'));
  expect(await shown('', 'odd')).toBe(plain('(Prefers-Color-Scheme:dark)'));
  const head = '<meta name="color-scheme" content="light dark">';
  expect(await shown(head, 'dark')).toMatch(/<p>x<\/p>\s*<style>:root\{color-scheme:only dark\}<\/style>$/);
});
