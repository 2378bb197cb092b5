// The files of the page: small, of one place, and nothing that a policy has to forbid.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test as plain } from 'vitest';
import { test } from './site.ts';

const FOLDER = new URL('../page/', import.meta.url);
const names = readdirSync(FOLDER);
const content = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');

plain('the whole page is 120 kB at the most when it is compressed', () => {
  const octets = names.map((name) => gzipSync(content(name)).length);
  expect(octets.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(120_000);
});

plain('nothing is fetched from elsewhere, and nothing becomes HTML or code', () => {
  for (const name of names) {
    const foreign = [...content(name).matchAll(/(?:https?:)?\/\/[\w.-]+\.\w+/g)].map(([url]) => url);
    expect(
      foreign.filter((url) => !url.includes('www.w3.org')),
      name,
    ).toEqual([]);
    if (name.endsWith('.js'))
      expect(content(name), name).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
    if (name.endsWith('.css')) expect(content(name)).not.toMatch(/@import|url\(/);
  }
});

test('each file of it is served, compressed, and asked for again only if it is another', async ({ site }) => {
  for (const name of names) {
    const path = name === 'index.html' ? '/' : `/${name}`;
    const { status, headers } = await site.ask(path, { headers: { 'accept-encoding': 'gzip' } });
    expect([status, headers['cache-control']], path).toEqual([200, 'no-cache']);
    expect((await site.ask(path, { headers: { 'if-none-match': String(headers.etag) } })).status).toBe(304);
    const head = await site.ask(path, { method: 'HEAD' });
    expect([head.status, head.body.length]).toEqual([200, 0]);
  }
  expect((await site.ask('/', { method: 'POST' })).status).toBe(404);
});

test('a list of ten thousand mails is opened by less than 100 kB', async ({ site }) => {
  for (let i = 0; i < 200; i++)
    site.file(`From: Somebody with a long name <somebody-${i}@a.example>\nSubject: ${'words '.repeat(20)}${i}\n\n${'text '.repeat(100)}\n`);
  await site.open();
  const asked = [
    '/',
    '/style.css',
    '/app.js',
    '/api.js',
    '/dom.js',
    '/mail.js',
    '/explained.js',
    '/raw.js',
    '/talk.js',
    '/diagram.js',
    '/rows.js',
    '/sessions.js',
    '/queue.js',
    '/stubs.js',
    '/icon.svg',
  ];
  let octets = 0;
  for (const path of [...asked, '/api/info', '/api/mails?limit=50', '/api/mails?start=50&limit=50', '/api/sessions', '/api/stubs'])
    octets += (await site.ask(path, { headers: { 'accept-encoding': 'gzip' } })).body.length;
  expect(octets).toBeLessThan(100_000);
});
