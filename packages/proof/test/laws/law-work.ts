// Law 3: memory is bounded and work is linear, whatever the peer does.

import type { RcptQuestion, ServerOptions, ServerSession } from '@ehlo/engine';
import { latin1, octets } from '@ehlo/grammar';
import { elementsTouched, octetsKept, octetsTouched } from './count.ts';
import { CASES, holds, type Law, same } from './law.ts';

const BLOCK = 65_536;
const MiB = 1_048_576;
const EHLO = 'EHLO c.example\r\n';
const MAIL = `${EHLO}MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n`;
const DATA = `${MAIL}DATA\r\n`;
const AUTH = `${EHLO}AUTH LOGIN\r\n`;

const OPTIONS: ServerOptions = {
  hostname: 'mx.example.org',
  preset: 'sink',
  ask: ['auth'],
  auth: { mechanisms: ['LOGIN'], inClear: true },
  trust: ['XCLIENT', 'XFORWARD'],
  limits: {
    faults: 1e9,
    recipients: 1e9,
    messageSize: 1e9,
    smallChunks: 1e9,
    transactions: 1e9,
    refusedRecipients: 1e9,
    idleCommands: 1e9,
  },
};

/** Takes all events, answers AUTH by a challenge, and has the output taken. */
function pull(session: ServerSession): void {
  for (;;) {
    const event = session.nextEvent();
    if (event?.type === 'auth') session.challenge(event, octets(''));
    if (event !== null) continue;
    const bytes = session.nextOutput();
    if (bytes === null) return;
    session.written(bytes.length);
  }
}

function begun(session: ServerSession, first: string): ServerSession {
  pull(session);
  session.receive(octets(first));
  pull(session);
  return session;
}

/** What a peer may send without end, and where. */
const FLOODS: readonly {
  readonly name: string;
  readonly first: string;
  readonly unit: string;
  readonly options?: Partial<ServerOptions>;
  /** How many blocks of octets; fewer will do where something could be kept of each command. */
  readonly blocks?: number;
}[] = [
  { name: 'a line without its end', first: EHLO, unit: 'x' },
  { name: 'a refused chunk', first: `${EHLO}BDAT 900000000\r\n`, unit: '\r\nx', options: { limits: { drain: 1e9 } } },
  { name: 'a line of CR', first: EHLO, unit: '\r' },
  { name: 'a first line without its end', first: '', unit: 'x' },
  { name: 'an AUTH response without its end', first: AUTH, unit: 'A' },
  { name: 'a message without its end', first: DATA, unit: 'x' },
  { name: 'a message of dots', first: DATA, unit: '\r\n..' },
  { name: 'a message that is refused', first: DATA, unit: '\n', options: { bareLineEnds: 'reject', limits: { drain: 1e9 } } },
  { name: 'faults', first: EHLO, unit: 'XYZZY\r\n' },
  { name: 'a chunk without its end', first: `${MAIL}BDAT 900000000\r\n`, unit: '\r\nx' },
  { name: 'chunks', first: MAIL, unit: 'BDAT 64\r\n1234567890123456789012345678901234567890123456789012345678901234', blocks: 8 },
  { name: 'chunks of no octets', first: MAIL, unit: 'BDAT 0\r\n', blocks: 8 },
  { name: 'refused chunks', first: EHLO, unit: 'BDAT 3\r\nxyz', blocks: 8 },
  { name: 'facts of other clients', first: EHLO, unit: 'XFORWARD NAME=a.example\r\n', blocks: 8 },
  { name: 'other clients', first: EHLO, unit: 'XCLIENT NAME=a.example\r\n', blocks: 8 },
  { name: 'transactions', first: EHLO, unit: 'MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nBDAT 1 LAST\r\nx', blocks: 8 },
];

const floods: Law = {
  name: '3: what a peer sends without end is not kept',
  check: (Session, cases) => {
    const many = cases >= CASES ? 128 : 64; // 8 MiB, or 4
    for (const { name, first, unit, options, blocks } of FLOODS) {
      const session = begun(new Session({ ...OPTIONS, ...options, limits: { ...OPTIONS.limits, ...options?.limits } }), first);
      const text = unit.repeat(Math.floor(BLOCK / unit.length));
      const kept = octetsKept(() => {
        for (let i = 0; i < (blocks ?? many); i++) {
          // A chunk of its own each time: whoever keeps it is found out.
          session.receive(octets(text));
          pull(session);
        }
        return session;
      });
      holds(kept < MiB, `${name}: ${kept} octets are kept of ${(blocks ?? many) * BLOCK}`);
      // Commands are whole: that they come octet by octet says nothing new.
      if (blocks !== undefined) continue;
      const trickled = octetsKept(() => {
        for (let i = 0; i < 50_000; i++) {
          session.receive(octets(unit[i % unit.length]!));
          pull(session);
        }
        return session;
      });
      holds(trickled < MiB / 2, `${name}, octet by octet: ${trickled} octets are kept`);
    }
  },
};

const deaf: Law = {
  name: '3: for a peer that never reads, reading stops and no reply is made',
  check: (Session) => {
    for (const output of [512, 65_536]) {
      const session = new Session({ ...OPTIONS, limits: { ...OPTIONS.limits, output } });
      while (session.nextEvent() !== null);
      let given = 0;
      while (session.reads && given < 100 * output) {
        const chunk = octets('HELP\r\nNOOP\r\nBDAT 2\r\nxx'.repeat(50));
        given += chunk.length;
        session.receive(chunk);
        while (session.nextEvent() !== null);
      }
      same([session.wants, session.reads], ['flush', false], 'wants');
      same(session.nextEvent(), null, 'events');
      const made = session.nextOutput() ?? new Uint8Array();
      const replies = latin1(made, 0, made.length).match(/^\d{3} /gm)?.length ?? 0;
      // By octets or by their number, whichever is reached first: no session keeps the others waiting.
      holds(
        made.length < output + 512 && (made.length >= output || replies === 128),
        `${made.length} octets of output, ${replies} replies`,
      );
      holds(given < 2 * output + 2000, `${given} octets were read`);
      // It goes on where it was as soon as the output is taken.
      same(session.wants, 'input', 'wants after the flush');
    }
  },
};

/** A command, its reply, what may wait of them, and how many there are to each case: 200, or 300 chunks. */
const PIPELINES = [
  ['NOOP\r\n', '250 2.0.0 NOOP OK\r\n', 512, 200],
  ['NOOP\r\n', '250 2.0.0 NOOP OK\r\n', 65_536, 200],
  ['NOOP\r\n', '250 2.0.0 NOOP OK\r\n', 1e9, 200],
  ['BDAT 0\r\n', '250 2.0.0 0 octets received\r\n', 65_536, 300],
] as const;

const pipeline: Law = {
  name: '3: any number of commands in one chunk costs no stack, and output comes in portions',
  check: (Session, cases) => {
    for (const [command, reply, output, times] of PIPELINES) {
      const count = cases * times;
      const session = begun(new Session({ ...OPTIONS, limits: { ...OPTIONS.limits, output } }), MAIL);
      session.receive(octets(command.repeat(count)));
      let written = 0;
      for (;;) {
        while (session.nextEvent() !== null);
        const bytes = session.nextOutput();
        if (bytes === null) break;
        holds(bytes.length < output + reply.length, `${bytes.length} octets at once`);
        if (written === 0) same(latin1(bytes, 0, reply.length), reply, 'replies');
        written += bytes.length;
      }
      same(written, count * reply.length, 'octets of output');
    }
  },
};

const recipients: Law = {
  name: '3: a recipient costs the same whether it is the first or the last of many',
  check: (Session, cases) => {
    const take = (count: number): void => {
      const session = begun(new Session({ ...OPTIONS, ask: ['auth', 'rcpt'] }), `${EHLO}MAIL FROM:<>\r\n`);
      session.receive(octets('RCPT TO:<someone@example.org>\r\n'.repeat(count)));
      for (let i = 0; i < count; i++) {
        let event = session.nextEvent();
        if (event === null && session.nextOutput() !== null) event = session.nextEvent();
        if (event?.type !== 'rcpt') throw new Error(`recipient ${i}: ${event?.type}`);
        session.accept(event);
      }
      if (session.envelope?.recipients.length !== count) throw new Error(`${session.envelope?.recipients.length} of ${count} recipients`);
    };
    const [once, twice] = [elementsTouched(() => take(500)), elementsTouched(() => take(1000))];
    holds(twice <= 2.2 * once, `${once} elements are gone over for 500 recipients, ${twice} for 1000`);
    take(cases * 100);

    const decide = (count: number): void => {
      const options: ServerOptions = { ...OPTIONS, preset: 'lmtp', ask: ['auth', 'rcpt', 'message'] };
      const session = begun(new Session(options), 'LHLO c.example\r\nMAIL FROM:<>\r\n');
      session.receive(octets(`${'RCPT TO:<someone@example.org>\r\n'.repeat(count)}BDAT 0 LAST\r\n`));
      let decisions = 0;
      for (let event = session.nextEvent(); event !== null; ) {
        if (event.type === 'message') decisions++;
        if (event.type === 'rcpt' || event.type === 'message') session.accept(event as RcptQuestion);
        event = session.nextEvent();
        if (event === null && session.nextOutput() !== null) event = session.nextEvent();
      }
      same(decisions, count, 'decisions');
    };
    const [few, more] = [elementsTouched(() => decide(500)), elementsTouched(() => decide(1000))];
    holds(more <= 2.2 * few, `${few} elements are gone over for 500 decisions, ${more} for 1000`);
  },
};

/** Inputs of any length, whole or in pieces. */
const SHAPES: readonly { readonly name: string; readonly first: string; readonly text: (n: number) => string; readonly chunk: number }[] = [
  { name: 'a line, octet by octet', first: EHLO, text: (n) => 'x'.repeat(n), chunk: 1 },
  { name: 'a line that ends', first: EHLO, text: (n) => `NOOP ${'x'.repeat(n)}\r\n`, chunk: 3 },
  { name: 'lines in one chunk', first: EHLO, text: (n) => 'NOOP\r\n'.repeat(n / 5), chunk: 1e9 },
  { name: 'lines, octet by octet', first: EHLO, text: (n) => 'NOOP\r\n'.repeat(n / 5), chunk: 1 },
  { name: 'recipients', first: `${EHLO}MAIL FROM:<>\r\n`, text: (n) => 'RCPT TO:<a@b>\r\n'.repeat(n / 10), chunk: 40 },
  { name: 'an AUTH response', first: AUTH, text: (n) => `${'A'.repeat(4 * n)}\r\n`, chunk: 7 },
  { name: 'a message in one chunk', first: DATA, text: (n) => 'text\r\n'.repeat(n / 5), chunk: 1e9 },
  { name: 'a message, octet by octet', first: DATA, text: (n) => 'text\r\n'.repeat(n / 5), chunk: 1 },
  { name: 'dots in one chunk', first: DATA, text: (n) => '..\r\n'.repeat(n / 4), chunk: 1e9 },
  { name: 'dots, octet by octet', first: DATA, text: (n) => '..\r\n'.repeat(n / 4), chunk: 1 },
  { name: 'false ends', first: DATA, text: (n) => '\r\n.\r.\n'.repeat(n / 5), chunk: 1e9 },
  { name: 'a chunk', first: `${MAIL}BDAT 100000\r\n`, text: (n) => 'text\r\n'.repeat(n / 5), chunk: 1e9 },
  { name: 'a chunk, octet by octet', first: `${MAIL}BDAT 100000\r\n`, text: (n) => 'text\r\n'.repeat(n / 5), chunk: 1 },
  { name: 'chunks', first: MAIL, text: (n) => 'BDAT 5\r\ntext\n'.repeat(n / 10), chunk: 1e9 },
  { name: 'chunks, octet by octet', first: MAIL, text: (n) => 'BDAT 5\r\ntext\n'.repeat(n / 10), chunk: 1 },
  { name: 'refused chunks, in pieces', first: EHLO, text: (n) => 'BDAT 5\r\ntext\n'.repeat(n / 10), chunk: 3 },
  { name: 'false ends, in pieces', first: DATA, text: (n) => '\r\n.\r.\n'.repeat(n / 5), chunk: 2 },
];

const linear: Law = {
  name: '3: work is linear in octets, those in chunks of one included',
  check: (Session) => {
    for (const { name, first, text, chunk } of SHAPES) {
      const work = (n: number): number => {
        const session = begun(new Session({ ...OPTIONS, limits: { ...OPTIONS.limits, commandLine: 1e6 } }), first);
        const bytes = octets(text(n));
        return octetsTouched((counted) => {
          for (let at = 0; at < bytes.length; at += chunk) {
            session.receive(counted(bytes.subarray(at, at + chunk)));
            while (session.nextEvent() !== null || session.nextOutput() !== null);
          }
        });
      };
      const [once, twice] = [work(1000), work(2000)];
      holds(once >= 1000, `${name}: only ${once} octets are counted`);
      holds(twice <= 2.2 * once, `${name}: ${once} octets are touched, then ${twice}`);
      // Read, kept, joined, looked at again: a handful of times each.
      holds(once <= 16 * text(1000).length, `${name}: ${once} octets are touched for ${text(1000).length}`);
    }
  },
};

export const WORK_LAWS: readonly Law[] = [floods, deaf, pipeline, recipients, linear];
