// What a message costs a client: how often it writes, and what it tells. Counted, for time depends on the machine.
import { latin1, octets } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import { type ClientEvent, ClientSession, type Pipelining } from '../src/index.ts';

const MESSAGES = 5;

/** Sends so many messages to a server that takes all, and counts writes and events behind EHLO. */
function sent(pipelining: Pipelining, message: Uint8Array): { readonly writes: number; readonly events: number } {
  const session = new ClientSession({ hostname: 'client.example.org', pipelining });
  const replies: string[] = [];
  const counted = { writes: 0, events: 0 };
  let begun = 0;
  const begin = (): void => {
    if (begun === MESSAGES || !session.canSend) return;
    begun++;
    session.send({ reversePath: 'joe@a.example', recipients: [{ forwardPath: 'ann@b.example' }] }, { body: '7BIT' });
  };
  const take = (event: ClientEvent): void => {
    counted.events++;
    if (event.type !== 'ready') return;
    session.write(message);
    session.end();
  };
  session.receive(octets('220 mx.example.net\r\n'));
  while (session.nextEvent() !== null);
  session.nextOutput();
  session.receive(octets('250-mx.example.net\r\n250 PIPELINING\r\n'));
  while (session.nextEvent() !== null);
  for (let more = true; more; ) {
    for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) take(event);
    begin();
    more = false;
    for (let bytes = session.nextOutput(); bytes !== null; bytes = session.nextOutput()) {
      counted.writes++;
      session.written(bytes.length);
      replies.push(...answersTo(bytes));
      more = true;
    }
    if (replies.length > 0) session.receive(octets(replies.splice(0).join('')));
  }
  expect([begun, session.phase]).toEqual([MESSAGES, 'ready']);
  return counted;
}

/** What a server says to a group of commands, or to the end of a message and what is behind it. */
function answersTo(bytes: Uint8Array): string[] {
  const text = latin1(bytes, 0, bytes.length);
  return text
    .split('\r\n')
    .flatMap((line) =>
      /^(MAIL|RCPT)/.test(line) ? ['250 OK\r\n'] : line === 'DATA' ? ['354 go\r\n'] : line === '.' ? ['250 taken\r\n'] : [],
    );
}

/** A message of so many octets. */
function message(size: number): Uint8Array {
  return octets(`${'x'.repeat(62)}\r\n`.repeat(size / 64));
}

describe.each([1024, 4096, 61_440])('a message of %i octets', (size) => {
  test.each<[Pipelining, number]>([
    ['off', 4], // MAIL, RCPT, DATA, and the message with its end
    ['envelope', 3], // MAIL and RCPT are one
    ['data', 2],
  ])('%s: so many writes', (pipelining, writes) => {
    expect(sent(pipelining, message(size)).writes).toBe(MESSAGES * writes);
  });

  test('transactions: one write each, behind the first', () => {
    expect(sent('transactions', message(size)).writes).toBe(MESSAGES + 1);
  });
});

test('of a message that is larger than what is put together whole blocks go alone, and its end with what is left of it', () => {
  expect(sent('transactions', message(2 * 65_536 + 6400)).writes).toBe(3 * MESSAGES + 1);
});

test('a message of one recipient is told by four events', () => {
  expect(sent('envelope', message(1024)).events).toBe(4 * MESSAGES);
});
