// The server writes a reply, at any length: what is kept of it is short, whatever it came with.
import { contentOf } from '@ehlo/message/report';
import { expect, test } from 'vitest';
import { HostBook, type Notice } from '../src/index.ts';
import { composeNotice } from '../src/notices.ts';
import { ONE_HOST, Runner } from './run.ts';

const LONG = { code: 550, lines: Array.from({ length: 1000 }, () => 'x'.repeat(125)) };
const to = Array.from({ length: 100 }, (_, index) => `u${index}@example.net`);
const octets = (value: unknown): number => JSON.stringify(value).length;

test.each(['rcpt', 'message'])('of a long reply to %s, for each of many recipients, the first lines are kept', (stage) => {
  const send = () => to.map(() => ({ status: 'refused', stage, permanent: true, reply: LONG }) as const);
  const runner = new Runner({ dns: ONE_HOST, send }).add('example.net', to).run(0);
  const [change] = runner.changes;
  expect(change!.recipients[0]?.last?.reply?.lines).toEqual(LONG.lines.slice(0, 10));
  expect(octets(change!.recipients)).toBeLessThan(100 * 2000);
});

test('so is it where no session was to be had, where one line is long, and of a host', () => {
  const reply = { code: 554, lines: [`${'x'.repeat(1999)}\u{1f600}`] };
  const hosts = new HostBook();
  const runner = new Runner({ dns: ONE_HOST, open: () => ({ stage: 'greeting', reply }) }).add('example.net', ['joe@example.net']).run(0);
  const met = runner.changes[0]!.recipients[0]!.last!;
  expect(met.reply).toEqual({ code: 554, lines: ['x'.repeat(1999)] });
  hosts.failed('192.0.2.1 25', 0, { ...met, reply: LONG }, { first: 1, most: 1 });
  expect(octets(hosts.known('192.0.2.1 25'))).toBeLessThan(2000);
});

test('a short one stays as it is, octet by octet', () => {
  const reply = { code: 550, enhanced: '5.1.1', lines: ['no such user', '', 'see https://example.net/help'] };
  const send = () => [{ status: 'refused', stage: 'rcpt', permanent: true, reply }] as const;
  const runner = new Runner({ dns: ONE_HOST, send }).add('example.net', ['joe@example.net']).run(0);
  expect(runner.changes[0]!.recipients[0]!.last!.reply).toBe(reply);
});

test('a notice tells no more of one, whoever has made it', () => {
  const last = { at: 0, status: '5.0.0', category: 'mailbox', host: 'mx.example.net', reply: LONG };
  const recipients = to.map((address) => ({ address, action: 'failed', status: '5.0.0', last }) as const);
  const notice: Notice = { of: 'm', at: 0, arrived: 0, to: 'ann@example.org', recipients };
  const parts = [...contentOf(composeNotice(notice, { hostname: 'mx.example.org', id: 'n', boundary: 'b1' }))];
  expect(parts.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(100 * 4000);
});
