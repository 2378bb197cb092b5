// What a hostile mail, a page elsewhere, or a client without end can do: nothing.
import type { ServerResponse } from 'node:http';
import { describe, expect } from 'vitest';
import { EventStream } from '../src/event-stream.ts';
import { openWeb } from '../src/index.ts';
import type { MailSummary } from '../src/mail-record.ts';
import { LETTER, test, visitor } from './site.ts';

const SANDBOX = "sandbox; default-src 'none'; img-src data: 'self'; style-src 'unsafe-inline'";

describe('headers', () => {
  test('are on every answer, errors and files of the page too', async ({ site }) => {
    const id = await site.mail(LETTER);
    const paths = [
      '/',
      '/app.js',
      '/api/mails',
      `/api/mails/${id}`,
      `/api/mails/${id}/raw`,
      `/api/mails/${id}/html`,
      `/api/mails/${id}/parts/0`,
    ];
    for (const path of [...paths, '/none', '/email', '/api/v1/messages', '/../etc/passwd']) {
      const { headers } = await site.ask(path);
      expect(headers, path).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-dns-prefetch-control': 'off',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
      });
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  test('the page has no inline script, and frames of its own alone', async ({ site }) => {
    const { headers, body } = await site.ask('/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(body.toString()).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=|<style|style=/i);
  });

  test('HTML of a mail is a document that can do nothing, and not of this origin', async ({ site }) => {
    const id = await site.mail(LETTER);
    for (const path of [`/api/mails/${id}/html`, `/view/${id}.html`, `/email/${id}/html`]) {
      const { headers, body } = await site.ask(path);
      // No frame: the name of its host would be looked up.
      expect(body.toString()).toContain('<x-IFrame\tsrc="//x.example"></x-iframe><linked>');
      expect(headers['content-security-policy'], path).toBe(SANDBOX);
      expect(headers['x-frame-options']).toBe('SAMEORIGIN');
    }
  });

  test('parts are downloads, whatever they are and are called', async ({ site }) => {
    const id = await site.mail(LETTER);
    const { headers } = await site.ask(`/api/mails/${id}/parts/4`);
    expect(headers).toMatchObject({ 'content-type': 'application/octet-stream', 'content-security-policy': SANDBOX });
    expect(headers['content-disposition']).toMatch(/^attachment; filename="[\w. -]*"; filename\*=UTF-8''[\w.%-]*$/);
    expect(headers['content-disposition']).not.toMatch(/\.\.\/|%2F|%5C|%0A/i);
  });

  test('images by cid: are for documents without an origin, under a path that nobody can guess; SVG is none', async ({ site }) => {
    const id = await site.mail(LETTER);
    const html = (await site.ask(`/api/mails/${id}/html`)).body.toString();
    const [, path, token] = /<img src="(\/cid\/([\w-]{22})\/[^"]+\/2)"><img src="cid:none@a">/.exec(html)!;
    const { status, headers } = await site.ask(path!);
    expect([status, headers['content-type'], headers['cross-origin-resource-policy']]).toEqual([200, 'image/png', 'cross-origin']);
    expect((await site.ask(path!.replace(/2$/, '3'))).status).toBe(415);
    expect((await site.ask(path!.replace(/2$/, '4'))).status).toBe(415);
    await site.open();
    expect((await site.ask(path!)).status).toBe(404);
    expect((await site.ask(`/api/mails/${id}/html`)).body.toString()).not.toContain(token);
  });
});

describe('who may ask', () => {
  test.for([
    ['127.0.0.1', 200],
    ['127.0.0.1:8025', 200],
    ['[::1]:8025', 200],
    ['192.0.2.1', 200],
    ['localhost', 200],
    ['LOCALHOST:1', 200],
    ['mail.example', 200],
    ['evil.example', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['user@localhost', 421],
    ['localhost/../x', 421],
  ] as const)('Host: %s → %i', async ([host, status], { site }) => {
    await site.open({ name: 'mail.example' });
    expect((await site.ask('/api/info', { headers: { host } })).status).toBe(status);
    expect((await site.ask('/', { headers: { host } })).status).toBe(status);
  });

  const OWN = 'OWN';
  test.for([
    [{}, 200],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': '' }, 403],
    [{ origin: OWN }, 200],
    [{ origin: OWN, 'sec-fetch-site': 'same-origin' }, 200],
    [{ origin: OWN, 'sec-fetch-site': 'cross-site' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'http://evil.example' }, 403],
    [{ origin: 'http://127.0.0.1' }, 403],
    [{ origin: 'file://' }, 403],
  ] as const)('a change with %j → %i', async ([headers, status], { site }) => {
    const own = site.web.url.replace(/\/$/, '');
    const asked = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value === OWN ? own : value]));
    for (const [method, path] of [
      ['DELETE', '/api/mails'],
      ['DELETE', '/email/all'],
      ['DELETE', '/api/v1/messages'],
    ] as const) {
      await site.mail(LETTER);
      expect((await site.ask(path, { method, headers: asked })).status, path).toBe(status);
    }
  });

  test('a user and a password, where they are set; images are known by their path', async ({ site }) => {
    await site.mail(LETTER);
    await site.open({ user: { name: 'ann', password: 'sesam öffne' } });
    const basic = (text: string): object => ({ headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` } });
    for (const path of ['/', '/api/mails', '/api/events', '/email', '/none']) {
      const { status, headers } = await site.ask(path);
      expect([status, headers['www-authenticate']], path).toEqual([401, 'Basic realm="ehlo", charset="UTF-8"']);
    }
    expect((await site.ask('/api/mails', basic('ann:sesam'))).status).toBe(401);
    expect((await site.ask('/api/mails', { headers: { authorization: 'Bearer x' } })).status).toBe(401);
    expect((await site.ask('/api/mails', basic('ann:sesam öffne'))).status).toBe(200);
  });

  test('an option that is none is told', async ({ site }) => {
    const options = { maildir: site.maildir, port: 0, explain: async () => ({}) };
    await expect(openWeb({ ...options, prot: 1 } as never)).rejects.toThrow('there is no option prot');
    await expect(openWeb({ ...options, keep: 0 })).rejects.toThrow('keep is 0');
  });

  test('others reach it only by a password', async ({ site }) => {
    const options = { maildir: site.maildir, port: 0, explain: async () => ({}) };
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'mail.example'])
      await expect(openWeb({ ...options, host })).rejects.toThrow(
        `the page would be open to whoever reaches ${host}: a user and a password are needed`,
      );
    const web = await openWeb({ ...options, host: '0.0.0.0', user: { name: 'ann', password: 'x' } });
    await web.close();
  });
});

describe('bounds', () => {
  test('a header and a body have an end', async ({ site }) => {
    expect((await site.ask('/api/info', { headers: { 'x-long': 'x'.repeat(20_000) } })).status).toBe(431);
    expect((await site.ask('/api/stubs', { method: 'POST', body: `{"x":"${'x'.repeat(65_536)}"}` })).status).toBe(413);
    expect((await site.ask('/api/stubs', { method: 'POST', body: '{' })).status).toBe(400);
    expect((await site.ask(`/api/mails?query=${'x'.repeat(8000)}`)).status).toBe(200);
  });

  test('who listens and does not read is let go', () => {
    const reader = { unread: 0, gone: false };
    const response = {
      writeHead: () => {},
      write: (text: string) => {
        reader.unread += text.length;
      },
      get writableLength() {
        return reader.unread;
      },
      destroy: () => {
        reader.gone = true;
      },
      on: () => {},
    } as unknown as ServerResponse;
    const events = new EventStream();
    events.open(response, {});
    const mail = { subject: 'x'.repeat(1000) } as MailSummary;
    for (let i = 0; i < 250; i++) events.mail(mail);
    expect(reader.gone).toBe(false);
    for (let i = 0; i < 50; i++) events.mail(mail);
    expect([reader.gone, reader.unread < 300_000]).toEqual([true, true]);
    events.close();
  });

  test('a session has so many lines, a line so many characters, and there are so many sessions', async ({ site }) => {
    for (let id = 1; id <= 600; id++) site.web.connected(visitor(id));
    for (let i = 0; i < 2100; i++) site.web.notice(visitor(600), { type: 'trace', from: 'client', line: 'x'.repeat(5000) });
    const { sessions } = (await site.json('/api/sessions')) as unknown as { sessions: readonly { id: number }[] };
    expect([sessions.length, sessions[0]!.id]).toEqual([500, 600]);
    const { conversation, cut } = (await site.json('/api/sessions/600')) as unknown as {
      conversation: readonly { text: string }[];
      cut: number;
    };
    expect([conversation.length, cut, conversation[0]!.text.length]).toEqual([2000, 100, 2000]);
  });

  test('what is told of a header bomb is cut', async ({ site }) => {
    await site.open({ explain: async () => ({ fields: Array<object>(100_000).fill({ name: 'x', value: 'y'.repeat(10_000) }) }) });
    const id = await site.mail(`${'X-Bomb: 1\n'.repeat(50_000)}${LETTER}`);
    expect((await site.ask(`/api/mails/${id}`)).body.length).toBeLessThan(4_000_000);
  });
});
