// Where the time of a session goes: each reply ends a stage, whatever order commands went out in.
import { expect, test } from 'vitest';
import type { ClientNotice } from '../src/index.ts';
import { TimeSum, TimeTable, Timing } from '../src/timing.ts';

/** Lines of a conversation, one each ms: `C:`, `S:`, `+n` waits so long, other words are notices by their type. */
function timesOf(lines: readonly string[]): object {
  let now = 0;
  const sum = new TimeSum();
  const timing = new Timing(sum.add, () => now);
  for (const line of lines) {
    if (/^\+\d/.test(line)) now += Number(line);
    else if (line === 'progress') timing.progress();
    else if (/^[CS]: /.test(line)) timing.notice({ type: 'trace', from: line.startsWith('C') ? 'client' : 'server', line: line.slice(3) });
    else timing.notice({ type: line } as ClientNotice);
  }
  return sum.times;
}

const HELLO = ['+5', 'connected', '+7', 'S: 220-mx', '+1', 'S: 220 hello', 'C: EHLO c', '+2', 'S: 250-mx', 'S: 250 SIZE'];

test('stages one after the other', () => {
  const lines = [
    ...HELLO,
    'C: MAIL FROM:<a@b>',
    '+3',
    'S: 250 ok',
    'C: RCPT TO:<c@d>',
    '+4',
    'S: 250 ok',
    'C: RCPT TO:<e@d>',
    '+1',
    'S: 550 no',
  ];
  const body = [
    'C: DATA',
    '+2',
    'S: 354 go',
    '+30',
    'progress',
    '+20',
    'progress',
    '+6',
    'S: 250 ok',
    '+500',
    'C: QUIT',
    '+9',
    'S: 221 bye',
  ];
  expect(timesOf([...lines, ...body])).toEqual({ connect: 5, greeting: 8, hello: 2, mail: 3, rcpt: 5, data: 52, end: 6 });
});

test('commands that do not wait for replies: each takes from the end of the one before', () => {
  const lines = [
    'C: MAIL FROM:<a@b>',
    'C: RCPT TO:<c@d>',
    'C: DATA',
    '+4',
    'S: 250 ok',
    '+1',
    'S: 250 ok',
    '+2',
    'S: 354 go',
    '+3',
    'S: 250 ok',
  ];
  expect(timesOf([...HELLO, ...lines])).toEqual({ connect: 5, greeting: 8, hello: 2, mail: 4, rcpt: 1, data: 2, end: 3 });
});

test('STARTTLS, the handshake, and EHLO again; AUTH with its challenges', () => {
  const lines = ['C: STARTTLS', '+2', 'S: 220 go', '+10', 'secured', 'C: EHLO c', '+3', 'S: 250 mx'];
  const auth = [
    'C: AUTH LOGIN',
    '+1',
    'S: 334 VXNlcm5hbWU6',
    'C: ***',
    '+1',
    'S: 334 UGFzc3dvcmQ6',
    'C: MAIL***',
    '+5',
    'S: 235 ok',
    'C: NOOP',
    '+50',
    'S: 250 ok',
  ];
  expect(timesOf([...HELLO, ...lines, ...auth])).toEqual({ connect: 5, tls: 12, greeting: 8, hello: 5, auth: 7 });
});

test('chunks, and a reply for each recipient (LMTP)', () => {
  const lines = ['C: BDAT 10', '+2', 'S: 250 ok', 'C: BDAT 5 LAST', '+3', 'S: 250 one', '+4', 'S: 250 two'];
  expect(timesOf([...HELLO, ...lines])).toEqual({ connect: 5, greeting: 8, hello: 2, data: 2, end: 7 });
});

test('DATA that is refused has no end', () => {
  expect(timesOf([...HELLO, 'C: DATA', '+2', 'S: 554 no', 'C: MAIL FROM:<a@b>', '+1', 'S: 250 ok'])).toMatchObject({ data: 2, mail: 1 });
});

test('of many sessions: how often, on average, at the most', () => {
  const table = new TimeTable();
  for (const time of [1, 2, 6]) table.add('mail', time);
  table.add('connect', 4);
  expect(table.rows).toEqual([
    { stage: 'connect', count: 1, mean: 4, most: 4 },
    { stage: 'mail', count: 3, mean: 3, most: 6 },
  ]);
});
