// What is told of while it happens: mails, sessions, stubs.
import { type IncomingMessage, request } from 'node:http';
import { expect } from 'vitest';
import { LETTER, type Site, spoken, test, visitor } from './site.ts';

/** Events as they come: `event data`. */
async function listening(site: Site): Promise<string[]> {
  const response = await new Promise<IncomingMessage>((resolve) => {
    request({ host: '127.0.0.1', port: site.web.port, path: '/api/events', agent: false }, resolve).end();
  });
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  const events: string[] = [];
  let text = '';
  response.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    for (const [, event, data] of text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)) events.push(`${event} ${data}`);
    text = text.slice(text.lastIndexOf('\n\n') + 2);
  });
  response.on('error', () => {});
  return events;
}

const changes = (events: readonly string[]): { mails: boolean; stubs: boolean; sessions: number[] }[] =>
  events.filter((one) => one.startsWith('change ')).map((one) => JSON.parse(one.slice(7)));

test('a mail is told of with what a list shows', async ({ site }) => {
  const events = await listening(site);
  const id = await site.mail(LETTER);
  await expect.poll(() => events.filter((one) => one.startsWith('mail ')).length).toBe(1);
  expect(JSON.parse(events.find((one) => one.startsWith('mail '))!.slice(5))).toMatchObject({ id, subject: 'grüße' });
  await site.ask(`/api/mails/${id}`, { method: 'DELETE' });
  await expect.poll(() => changes(events).some(({ mails }) => mails)).toBe(true);
});

test('sessions and stubs are told of together', async ({ site }) => {
  const events = await listening(site);
  site.web.connected(visitor(7));
  await site.ask('/api/stubs', { method: 'POST', body: { on: 'rcpt', do: { drop: true } } });
  await expect.poll(() => changes(events).some(({ stubs }) => stubs)).toBe(true);
  expect(changes(events).flatMap(({ sessions }) => sessions)).toContain(7);
});

test('a stub that acts is told of with the next line', async ({ site }) => {
  await site.ask('/api/stubs', { method: 'POST', body: { on: 'rcpt', do: { reply: { code: 452 } } } });
  const facts = {
    stage: 'rcpt',
    peer: '',
    hello: null,
    tls: false,
    identity: null,
    mechanism: null,
    from: '',
    to: ['a@b'],
    size: null,
  } as const;
  const events = await listening(site);
  site.stubs.decide({ ...facts, header: () => [] }, 0);
  for (const notice of spoken(['C: RCPT TO:<a@b>'])) site.web.notice(visitor(1), notice);
  await expect.poll(() => changes(events).some(({ stubs }) => stubs)).toBe(true);
  expect(await site.json('/api/stubs')).toMatchObject({ stubs: [{ fired: 1 }] });
});

test('the reply to a mail is its outcome', async ({ site }) => {
  const one = visitor(3);
  site.web.connected(one);
  const id = await site.mail(LETTER, one);
  for (const notice of spoken(['S: 250 2.6.0 taken', 'S: 550 no', 'C: QUIT', 'S: 221 bye'])) site.web.notice(one, notice);
  // RFC 2033 4.2: LMTP has one for each recipient.
  expect(await site.json(`/api/mails/${id}`)).toMatchObject({ outcome: '250 2.6.0 taken\n550 no', session: 3 });
  expect(await site.json('/api/sessions/3')).toMatchObject({ mails: [id] });
});
