// All that can be done to a client session in a state: replies, calls of the program, ends, time, and the hand-over to TLS.
import { type ClientSession, SmtpUsageError } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';
import { VERIFIED } from '../client/scripted.ts';

/** Something that is done to a session. */
export interface ClientAct {
  readonly name: string;
  /** The code of a whole reply. */
  readonly code?: number;
  /** Carries it out. Returns false where it has no effect: a call that is not for now. */
  run(at: ClientStanding): boolean;
}

/** A session, what time it is, and whether the transport takes its octets. */
export interface ClientStanding {
  readonly session: ClientSession;
  now: number;
  stalled: boolean;
}

const said = (text: string, code?: number): ClientAct => ({
  name: text.split('\r\n', 1)[0]!,
  ...(code === undefined ? {} : { code }),
  run: ({ session }) => {
    session.receive(octets(text));
    return true;
  },
});
const reply = (text: string): ClientAct => said(`${text}\r\n`, Number(text.slice(0, 3)));

/** What a server may answer; `offered` are the keywords of its EHLO. */
function repliesWith(offered: readonly string[]): readonly ClientAct[] {
  const hello = ['mx.example', ...offered].map((line, i, all) => `250${i < all.length - 1 ? '-' : ' '}${line}\r\n`).join('');
  return [
    { ...said(hello, 250), name: '250 and what is offered' },
    ...[
      '220 mx.example',
      '235 ok',
      '250 ok',
      '334 Z28gb24=',
      '354 go on',
      '421 closing',
      '450 later',
      '452 4.5.3 too many',
      '500 what',
      '550 no',
      '554 no',
    ].map(reply),
    said('250-ok\r\n550 no\r\n'),
    said('no reply\r\n'),
    said('25'),
  ];
}

const called = (name: string, call: (session: ClientSession) => unknown): ClientAct => ({
  name,
  run: ({ session }) => {
    try {
      return call(session) !== false;
    } catch (error) {
      if (error instanceof SmtpUsageError) return false;
      throw error;
    }
  },
});

const envelope = (...names: readonly string[]) => ({
  reversePath: 'a@client.example',
  recipients: names.map((name) => ({ forwardPath: `${name}@mx.example` })),
});

const CALLS: readonly ClientAct[] = [
  called('send', (session) => session.send(envelope('x'))),
  called('send to two', (session) => session.send(envelope('x', 'y'))),
  called('write', (session) => session.write(octets('.x\r\n'))),
  called('end', (session) => session.end()),
  called('abort', (session) => session.abort()),
  called('command', (session) => session.command('NOOP')),
  called('quit', (session) => session.quit()),
  called('starttls', (session) => session.starttls()),
  called('authenticate', (session) => session.authenticate('PLAIN', octets('\0a\0b'))),
  called('authenticate, without a response', (session) => session.authenticate('PLAIN')),
  called('respond', (session) => session.respond(octets('a'))),
  called('cancel', (session) => session.cancel()),
  called('secured', (session) => session.secured(VERIFIED)),
];

/** Time runs out. */
export const CLIENT_TIME: ClientAct = {
  name: 'time',
  run: (at) => {
    if (!Number.isFinite(at.session.deadline)) return false;
    at.now = at.session.deadline;
    at.session.tick(at.now);
    return true;
  },
};

const ENDS: readonly ClientAct[] = [
  called('end of the server', (session) => session.receiveEnd()),
  called('lost', (session) => session.lost()),
];

const TRANSPORT: ClientAct = {
  name: 'the transport stops, or goes on',
  run: (at) => {
    at.stalled = !at.stalled;
    return true;
  },
};

/** What can be done at any time. */
export function clientActs(offered: readonly string[], stalls: boolean): readonly ClientAct[] {
  return [...repliesWith(offered), ...CALLS, ...ENDS, CLIENT_TIME, ...(stalls ? [TRANSPORT] : [])];
}

/** What is done to a session that is over: nothing may come of it. */
export const CLIENT_AFTERWARDS: readonly ClientAct[] = [reply('250 ok'), ...CALLS, ...ENDS, CLIENT_TIME];
