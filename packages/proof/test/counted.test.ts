// What a server session does per unit of work, counted exactly: no clock and no noise can hide a step back.
import { ServerSession } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Clock } from '../../engine/src/server/clock.ts';
import { Machine } from '../../engine/src/server/machine.ts';
import { Outbox } from '../../engine/src/server/outbox.ts';
import { arraysMade, lookUps, octetsTouched } from './laws/count.ts';

const OPTIONS = { hostname: 'mx.example.org', preset: 'sink' } as const;
const RECIPIENTS = 100;
const ENVELOPE = `MAIL FROM:<ann@client.example>\r\n${'RCPT TO:<bob@example.org>\r\n'.repeat(RECIPIENTS)}RSET\r\n`;

/** A session that was greeted. */
function greeted(): ServerSession {
  const session = new ServerSession(OPTIONS);
  give(session, octets('EHLO c.example\r\n'));
  return session;
}

/** Gives octets; returns the events that come of them, and the writes. */
function give(session: ServerSession, bytes: Uint8Array): { readonly events: number; readonly writes: number } {
  let [events, writes] = [0, 0];
  session.receive(bytes);
  for (;;) {
    while (session.nextEvent() !== null) events++;
    if (session.nextOutput() === null) return { events, writes };
    writes++;
  }
}

afterEach(() => vi.restoreAllMocks());

describe('MAIL, 100 RCPT and RSET in one chunk', () => {
  test('no event but that of RSET where nobody is asked, and one write for all their replies', () => {
    expect(give(greeted(), octets(ENVELOPE))).toEqual({ events: 1, writes: 1 });
  });

  test('one row and one number of a timer a command; facts are replaced once, when the client is known to speak SMTP', () => {
    const session = greeted();
    const [rows, timers, facts] = [
      vi.spyOn(Machine.prototype, 'carryOut'),
      vi.spyOn(Clock.prototype, 'start'),
      vi.spyOn(Machine.prototype, 'learn'),
    ];
    give(session, octets(ENVELOPE));
    expect([rows, timers, facts].map(({ mock }) => mock.calls.length)).toEqual([RECIPIENTS + 2, RECIPIENTS + 2, 1]);
    give(session, octets(ENVELOPE));
    expect(facts.mock.calls.length).toBe(1);
  });

  test('a reply is made once, for all that say it', () => {
    const session = greeted();
    const push = vi.spyOn(Outbox.prototype, 'push');
    give(session, octets(ENVELOPE.repeat(2)));
    expect(push.mock.calls.length).toBe(2 * (RECIPIENTS + 2));
    expect(new Set(push.mock.calls.map(([wire]) => wire)).size).toBe(3);
  });

  test('octets are in one array, which is the write, and which the next that says the same is given too: nothing else is copied, and no view made', () => {
    const session = greeted();
    const bytes = octets(ENVELOPE);
    expect([1, 2].map(() => arraysMade(() => void give(session, bytes)))).toEqual([1, 0]);
  });

  test('what a recipient is looked up for, and no pattern that its text is held against', () => {
    const session = greeted();
    give(session, octets(ENVELOPE));
    const more = ENVELOPE.replace('RSET', 'RCPT TO:<bob@example.org>\r\nRSET');
    const [once, then] = [ENVELOPE, more].map((text) => lookUps(() => void give(session, octets(text))));
    // The verb, its row, its parser, whether somebody is asked, and the octets of the reply.
    expect([then!.lookUps - once!.lookUps, then!.patterns - once!.patterns]).toEqual([5, 0]);
  });

  test('octets that are looked at, or written', () => {
    const session = greeted();
    give(session, octets(ENVELOPE));
    const touched = octetsTouched((counted) => void give(session, counted(octets(ENVELOPE))));
    expect(Math.round(touched / ENVELOPE.length)).toBe(8);
  });
});

test("EHLO's answer is made once for all sessions that have the same options", () => {
  greeted();
  const push = vi.spyOn(Outbox.prototype, 'push');
  greeted();
  greeted();
  expect(new Set(push.mock.calls.map(([wire]) => wire)).size).toBe(2);
});

test('MAIL with four parameters: nothing is copied, and two patterns for a parameter', () => {
  const session = greeted();
  const mail = octets('MAIL FROM:<ann@client.example> SIZE=123456 BODY=8BITMIME RET=HDRS ENVID=QQ314159\r\nRSET\r\n');
  give(session, mail);
  expect(arraysMade(() => void give(session, mail))).toBe(0);
  expect(lookUps(() => void give(session, mail)).patterns).toBe(8);
});

test('content: one event for what one chunk brings, and no timer but that of its blocks', () => {
  const session = greeted();
  give(session, octets('MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n'));
  const [rows, timers] = [vi.spyOn(Machine.prototype, 'carryOut'), vi.spyOn(Clock.prototype, 'start')];
  const block = octets('..\r\n'.repeat(16_384));
  expect([give(session, block), give(session, block)]).toEqual(Array(2).fill({ events: 1, writes: 0 }));
  expect([rows, timers].map(({ mock }) => mock.calls.length)).toEqual([0, 2]);
  // A block for its beginning, one for the whole, with the views to fill and to give them; and content without dots is a view.
  expect(arraysMade(() => void give(session, block))).toBe(6);
  const text = octets('text\r\n'.repeat(10_000));
  expect(arraysMade(() => void give(session, text))).toBe(1);
});
