// The follower knows from a conversation alone in which phase the engine's session is, and which rows it has taken.
import { type RcptQuestion, type ServerEvent, type ServerOptions, ServerSession, TABLE } from '@ehlo/engine';
import { describe, expect, test } from 'vitest';
import { Follower, type Taken } from '../src/follower.ts';

const OPTIONS: ServerOptions = {
  hostname: 'mx.example',
  preset: 'sink',
  peer: { address: '127.0.0.1', port: 1 },
  trace: true,
  ask: ['connect', 'hello', 'mail', 'rcpt', 'data', 'starttls', 'auth', 'message'],
};

/** What is refused is what has this in it. */
const REFUSED = /refused@/;

/** Speaks line by line; after each, what session and follower say of themselves. */
function spoken(lines: readonly string[], options: Partial<ServerOptions> = {}): { followed: string[]; true: string[]; rows: string[] } {
  const session = new ServerSession({ ...OPTIONS, ...options });
  const follower = new Follower();
  const told = { followed: [] as string[], true: [] as string[], rows: [] as string[] };
  const drive = (): void => {
    for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) take(event);
    while (session.nextOutput() !== null);
    if (session.wants === 'tls') session.secured({ protocol: 'TLSv1.3', cipher: 'x', servername: '' });
    if (session.tls !== null) follower.secured();
    told.followed.push(follower.phase);
    told.true.push(session.phase);
  };
  const take = (event: ServerEvent): void => {
    if (event.type === 'trace') {
      if (event.from === 'client') return follower.client(event.line);
      if (event.line[3] === '-') return;
      const rows = follower.server(event.line, typeof event.cause === 'object' ? event.cause.rule : null);
      told.rows.push(rows.map(nameOf).join(' '));
    } else if (event.type === 'closed') follower.closed();
    else if (event.type === 'auth') session.accept(event, { identity: 'ann' });
    else if ('forwardPath' in event && REFUSED.test(event.forwardPath.address)) session.reject(event, { code: 550, text: 'no' });
    else if (!['chunk', 'aborted', 'reset', 'fault', 'unacknowledged'].includes(event.type)) session.accept(event as RcptQuestion);
  };
  session.tick(0);
  drive();
  for (const line of lines) {
    session.tick(0);
    session.receive(new TextEncoder().encode(line));
    drive();
  }
  return told;
}

function nameOf({ row, guard, to }: Taken): string {
  const { on } = TABLE[row]!;
  return `${on}${to === null ? '' : `→${to}`}${guard === null ? '' : `!${guard}`}`;
}

const CASES: {
  readonly [name: string]: { readonly lines: readonly string[]; readonly rows: string; readonly options?: Partial<ServerOptions> };
} = {
  'a mail by DATA': {
    lines: [
      'EHLO a\r\n',
      'MAIL FROM:<a@b.example>\r\n',
      'RCPT TO:<c@d.example>\r\n',
      'DATA\r\n',
      'Subject: x\r\n\r\nx\r\n.\r\n',
      'QUIT\r\n',
    ],
    rows: 'accepted→greeted, EHLO→ready, MAIL→mail, RCPT→rcpt, DATA→data, end-of-data→message accepted→ready, QUIT→closed',
  },
  'commands out of order': {
    lines: ['MAIL FROM:<a@b.example>\r\n', 'EHLO a\r\n', 'RCPT TO:<c@d.example>\r\n', 'DATA\r\n', 'NOPE\r\n', 'NOOP\r\n', 'TURN\r\n'],
    rows: 'accepted→greeted, MAIL, EHLO→ready, RCPT, DATA, unknown, NOOP, TURN',
  },
  'a recipient that is refused, and a reset': {
    lines: [
      'HELO a\r\n',
      'MAIL FROM:<>\r\n',
      'RCPT TO:<refused@d.example>\r\n',
      'RCPT TO:<c@d.example>\r\n',
      'MAIL FROM:<>\r\n',
      'RSET\r\n',
    ],
    rows: 'accepted→greeted, HELO→ready, MAIL→mail, RCPT rejected, RCPT→rcpt, MAIL, RSET→ready',
  },
  'chunks, several mails and a chunk too many': {
    lines: [
      'EHLO a\r\n',
      'MAIL FROM:<>\r\n',
      'RCPT TO:<c@d.example>\r\n',
      'BDAT 4\r\nabc\n',
      'RCPT TO:<x@d.example>\r\n',
      'BDAT 2 LAST\r\n\r\n',
      'MAIL FROM:<>\r\n',
      'RCPT TO:<c@d.example>\r\n',
      'BDAT 1 LAST\r\nx',
      'BDAT 3\r\nabc',
    ],
    rows: 'accepted→greeted, EHLO→ready, MAIL→mail, RCPT→rcpt, BDAT→chunk end-of-chunk→chunks, RCPT, BDAT→chunk end-of-data→message accepted→ready, MAIL→mail, RCPT→rcpt, BDAT→chunk end-of-data→message accepted→ready, BDAT',
  },
  'a guard that does not hold': {
    lines: [
      'EHLO a\r\n',
      'MAIL FROM:<a@b.example>\r\n',
      'STARTTLS\r\n',
      'RSET\r\n',
      'AUTH PLAIN\r\n',
      'MAIL FROM:<a@b.example> SIZE=999999999\r\n',
    ],
    rows: 'accepted→greeted, EHLO→ready, MAIL→mail, STARTTLS, RSET→ready, AUTH!auth-configured, MAIL!size-fits',
  },
  'TLS and AUTH': {
    lines: ['EHLO a\r\n', 'STARTTLS\r\n', 'EHLO a\r\n', 'AUTH PLAIN AGEAYg==\r\n', 'MAIL FROM:<>\r\n'],
    rows: 'accepted→greeted, EHLO→ready, STARTTLS→tls, EHLO→ready, AUTH→auth accepted→ready, MAIL→mail',
    options: { starttls: 'offered', auth: { mechanisms: ['PLAIN'] } },
  },
  'an exchange that is given up': {
    lines: ['EHLO a\r\n', 'AUTH NONE\r\n', 'AUTH LOGIN\r\n'],
    rows: 'accepted→greeted, EHLO→ready, AUTH!mechanism-offered, AUTH→auth accepted→ready',
    options: { auth: { mechanisms: ['LOGIN'], inClear: true } },
  },
  'LMTP: a reply for each recipient': {
    lines: [
      'LHLO a\r\n',
      'MAIL FROM:<>\r\n',
      'RCPT TO:<c@d.example>\r\n',
      'RCPT TO:<e@d.example>\r\n',
      'DATA\r\n',
      'x\r\n.\r\n',
      'QUIT\r\n',
    ],
    rows: 'accepted→greeted, LHLO→ready, MAIL→mail, RCPT→rcpt, RCPT, DATA→data, end-of-data→message accepted→message, accepted→ready, QUIT→closed',
    options: { preset: 'lmtp' },
  },
};

describe.each(Object.entries(CASES))('%s', (_, { lines, rows, options }) => {
  test('phases and rows', () => {
    const told = spoken(lines, options);
    expect(told.rows.join(', ')).toBe(rows);
    expect(told.followed).toEqual(told.true);
  });
});
