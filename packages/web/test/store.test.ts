// Mails of a directory: found again, marked, bounded.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { LETTER, type Site, test } from './site.ts';

interface Listed {
  readonly id: string;
  readonly read: boolean;
  readonly subject: string;
}

async function listed(site: Site, query = ''): Promise<readonly Listed[]> {
  return ((await site.json(`/api/mails?limit=200&query=${encodeURIComponent(query)}`)) as unknown as { mails: readonly Listed[] }).mails;
}

const subjects = (some: readonly Listed[]): string[] => some.map(({ subject }) => subject);
const letter = (subject: string): string => `From: ann@a.example\nSubject: ${subject}\n\ntext of ${subject}\n`;

test('what a mail says of itself', async ({ site }) => {
  const id = await site.mail(LETTER);
  expect(await listed(site)).toEqual([
    expect.objectContaining({
      id,
      read: false,
      subject: 'grüße',
      from: [{ name: 'Ann Ä', address: 'ann@a.example' }],
      reversePath: 'ann@a.example',
      forwardPaths: ['bob@b.example'],
      attachments: 1,
      snippet: 'Hello, see https://a.example/x.',
      session: 1,
    }),
  ]);
  const mail = await site.json(`/api/mails/${id}`);
  expect(mail).toMatchObject({ hasHtml: true, links: ['https://a.example/x'] });
});

test('after a restart all is there, the envelope and what was read too', async ({ site }) => {
  const id = await site.mail(LETTER);
  const other = await site.mail(letter('second'));
  await site.ask(`/api/mails/${id}`, { method: 'PATCH', body: { read: true } });
  expect([site.files('new'), site.files('cur')]).toEqual([[other], [`${id}:2,S`]]);
  await site.open();
  expect(await listed(site)).toEqual([
    expect.objectContaining({ id: other, read: false }),
    expect.objectContaining({ id, read: true, reversePath: 'ann@a.example', forwardPaths: ['bob@b.example'], session: null }),
  ]);
  await site.ask(`/api/mails/${id}`, { method: 'PATCH', body: { read: false } });
  expect(site.files('cur')).toEqual([`${id}:2,`]);
});

test('the newest are kept, of earlier runs too, and their files', async ({ site }) => {
  for (const name of ['a', 'b', 'c', 'd']) site.file(letter(name));
  await site.open({ keep: 3 });
  expect([subjects(await listed(site)), site.files('new').length]).toEqual([['d', 'c', 'b'], 3]);
  await site.mail(letter('e'));
  expect(subjects(await listed(site))).toEqual(['e', 'd', 'c']);
  await expect.poll(() => site.files('new').length).toBe(3);
});

test('without a number nothing is removed', async ({ site }) => {
  for (const name of ['a', 'b', 'c', 'd']) site.file(letter(name), 1_000_000_000);
  await site.open();
  expect([(await listed(site)).length, site.files('new').length]).toEqual([4, 4]);
});

test('what is too old is removed', async ({ site }) => {
  site.file(letter('old'), 1_000_000_000);
  site.file(letter('new'), Math.floor(Date.now() / 1000));
  await site.open({ maxAge: 3_600_000 });
  expect([subjects(await listed(site)), site.files('new').length]).toEqual([['new'], 1]);
});

test('what others have taken away is gone, and nothing breaks', async ({ site }) => {
  const id = await site.mail(letter('a'));
  rmSync(join(site.maildir, 'new', id));
  expect((await site.ask(`/api/mails/${id}`)).status).toBe(200);
  await site.open();
  const other = await site.mail(letter('b'));
  await site.open();
  rmSync(join(site.maildir, 'new', other));
  expect((await site.ask(`/api/mails/${other}/raw`)).status).toBe(404);
  expect((await site.ask(`/api/mails/${other}`)).status).toBe(404);
  expect(await listed(site)).toEqual([]);
  expect((await site.ask(`/api/mails/${other}/raw`)).status).toBe(404);
});

describe('a search', () => {
  test.for([
    ['', ['two', 'one']],
    ['ONE', ['one']],
    ['subject:two', ['two']],
    ['from:ann text', ['two', 'one']],
    ['from:bob', []],
    ['to:bob@b.example', ['two', 'one']],
    ['"text of one"', ['one']],
    ['is:unread', ['two']],
    ['is:read', ['one']],
    ['is:odd', []],
    ['has:attachment', []],
    ['x:y', []],
  ] as const)('%s', async ([query, found], { site }) => {
    const id = await site.mail(letter('one'));
    await site.mail(letter('two'));
    await site.ask(`/api/mails/${id}`, { method: 'PATCH', body: { read: true } });
    expect(subjects(await listed(site, query))).toEqual(found);
  });
});

test('who waits has the mail when it comes', async ({ site }) => {
  const waiting = site.json('/api/mails/wait?subject=second&within=60000');
  await site.mail(letter('first'));
  await site.mail(letter('second'));
  expect(await waiting).toMatchObject({ subject: 'second' });
  const since = Date.now() + 1_000_000_000_000;
  expect((await site.ask(`/api/mails/wait?subject=second&since=${since}&within=1`)).status).toBe(404);
});
