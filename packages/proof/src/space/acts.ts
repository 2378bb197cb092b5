// All that can be done to a server session in a state: commands, content, answers, ends, time and the hand-over to TLS.
import type { Question, ServerSession, Snapshot } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';

/** Something that is done to a session. */
export interface Act {
  readonly name: string;
  /** A command line, a response of AUTH or a chunk: what has to be answered. */
  readonly line?: string;
  /** Its BDAT is the last one of a message. */
  readonly last?: true;
  /** Carries it out. Returns false if an answer had no effect. */
  run(at: Standing): boolean;
}

/** A session, what it has asked, and what time it is. */
export interface Standing {
  readonly session: ServerSession;
  question: Question | null;
  now: number;
}

const TLS = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', servername: '' } as const;

const fed = (name: string, text: string): Act => ({
  name,
  run: ({ session }) => {
    session.receive(octets(text));
    return true;
  },
});
const said = (name: string, line: string): Act => ({ ...fed(name, line), line });
const line = (text: string): Act => said(text, `${text}\r\n`);

/** Each verb, well and badly said, and what is no command. */
const COMMANDS: readonly Act[] = [
  ...[
    'EHLO c.example',
    'EHLO',
    'HELO c.example',
    'LHLO c.example',
    'MAIL FROM:<a@b.example>',
    'MAIL FROM:<a@b.example> BODY=BINARYMIME',
    'MAIL FROM:<a@b.example> SMTPUTF8',
    'MAIL FROM:<a@b.example> SIZE=99999999999',
    'MAIL FROM:a b',
    'RCPT TO:<x@y.example>',
    'RCPT TO:<x@z.example>',
    'RCPT TO:<>',
    'DATA',
    'DATA x',
    'RSET',
    'NOOP',
    'HELP',
    'VRFY x',
    'VRFY',
    'EXPN x',
    'ETRN x.example',
    'QUIT',
    'STARTTLS',
    'STARTTLS x',
    'AUTH PLAIN AGEAYg==',
    'AUTH PLAIN',
    'AUTH PLAIN !',
    'AUTH NONE',
    'XCLIENT NAME=d.example',
    'XCLIENT COLOUR=red',
    'XFORWARD NAME=d.example',
    'XSPACE x',
    'SEND FROM:<a@b.example>',
    'FROB',
    'GET / HTTP/1.1',
    'BDAT x',
    'BDAT 99999999999',
  ].map(line),
  said('RCPT TO:<\u00fc@y.example>', 'RCPT TO:<\u00c3\u00bc@y.example>\r\n'),
  said('BDAT 3', 'BDAT 3\r\nabc'),
  { ...said('BDAT 3 LAST', 'BDAT 3 LAST\r\nabc'), last: true },
  said('BDAT 3, of which 1 has come', 'BDAT 3\r\na'),
  said('a line too long', `NOOP ${'x'.repeat(5000)}\r\n`),
  said('a line that LF ends', 'NOOP\n'),
  said('a ClientHello', '\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03'),
];

/** Lines of the content of a message, and ends that are none. */
const CONTENT: readonly Act[] = ['x\r\n', '..\r\n', '.', '\r', '\n', 'x\n', '.\r\n'].map((text) =>
  fed(`content ${JSON.stringify(text)}`, text),
);

const RESPONSES: readonly Act[] = ['AGEAYg==', '*', '!', 'GET / HTTP/1.1'].map((text) => said(`response ${text}`, `${text}\r\n`));

const answered = (name: string, run: (session: ServerSession, question: Question) => boolean): Act => ({
  name,
  run: (at) => {
    const { question } = at;
    at.question = null;
    return run(at.session, question!);
  },
});
const identified = (question: Question): object => (question.type === 'auth' ? { identity: 'ann' } : {});
const codeOf = ({ type }: Question): number => (type === 'connect' ? 554 : 550);

const ANSWERS: readonly Act[] = [
  answered('yes', (session, question) => session.accept(question, identified(question) as never)),
  answered('yes, later', (session, question) => session.accept(question, { ...identified(question), delay: 50 } as never)),
  answered('no', (session, question) => session.reject(question, { code: codeOf(question), text: 'no' })),
  answered('no, and closed', (session, question) => session.reject(question, { code: 421, text: 'no' })),
];

const CHALLENGE: Act = answered(
  'challenge',
  (session, question) => question.type === 'auth' && session.challenge(question, octets('go on')),
);

const DISCARD: Act = { name: 'discard', run: ({ session }) => session.discard({ code: 550, text: 'no' }) };

const SECURED: Act = {
  name: 'secured',
  run: ({ session }) => {
    session.secured(TLS);
    return true;
  },
};

const done = (name: string, run: (at: Standing) => void): Act => ({
  name,
  run: (at) => {
    run(at);
    return true;
  },
});

/** What can be done at any time. Whoever does nothing lets time pass. */
const ANYTIME: readonly Act[] = [
  done('end', ({ session }) => session.receiveEnd()),
  done('lost', ({ session }) => session.lost()),
  done('shutdown', ({ session }) => session.shutdown()),
];
export const TIME: Act = done('time', (at) => {
  at.now = at.session.deadline;
  at.session.tick(at.now);
});

/** A client that does not read, and a program that does not come back from content: then their time runs out. */
const UNREAD: Act = done('NOOP, whose reply is not read', (at) => {
  at.session.receive(octets('NOOP\r\n'));
  while (at.session.nextEvent() !== null);
  TIME.run(at);
});
const KEPT: Act = done('content that the program keeps', (at) => {
  at.session.receive(octets('x'));
  at.session.nextEvent();
  TIME.run(at);
});

/** What can be done in a state that can not be put to sleep: during AUTH, or the hand-over to TLS. */
export function actsAwake({ session, question }: Standing): readonly Act[] {
  if (question !== null) return [...ANSWERS, CHALLENGE, TIME, ...ANYTIME];
  return session.phase === 'tls' ? [SECURED, fed('plaintext', 'NOOP\r\n'), TIME, ...ANYTIME] : [...RESPONSES, TIME, ...ANYTIME];
}

/** What can be done in a state. While something is asked or held back commands only wait: they are none. */
export function actsOf({
  phase,
  question,
  clock,
  input,
  ended,
  transaction: { message },
  facts: { refusedChunk },
}: Snapshot): readonly Act[] {
  const rest = [TIME, ...ANYTIME];
  if (question !== null) return [...ANSWERS, ...(message === null ? [] : [DISCARD]), ...rest];
  if (clock.timer === 'faultDelay') return rest;
  if (phase === 'wait') return input.length > 0 || ended ? rest : [said('NOOP, early', 'NOOP\r\n'), ...rest];
  if (phase === 'data') return [...CONTENT, KEPT, DISCARD, ...rest];
  const left = refusedChunk?.left ?? (message !== null && 'left' in message.reader ? message.reader.left : 0);
  if (phase === 'chunk' || phase === 'drain')
    return [fed('an octet of the chunk', 'x'), fed('the rest of the chunk', 'x'.repeat(left)), KEPT, DISCARD, ...rest];
  return [...COMMANDS, UNREAD, ...(phase === 'chunks' ? [DISCARD] : []), ...rest];
}

/** What is done to a session that is over: nothing may come of it. */
export const AFTERWARDS: readonly Act[] = [
  line('NOOP'),
  line('QUIT'),
  ...ANYTIME,
  done('an hour', (at) => {
    at.now += 3_600_000;
    at.session.tick(at.now);
  }),
  done('secured', ({ session }) => session.secured(TLS)),
];
