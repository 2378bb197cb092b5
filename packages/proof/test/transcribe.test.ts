// Sessions that are recorded while they are driven, and the transcripts of them: they replay, and hold no secret.
import { readFileSync } from 'node:fs';
import { type ServerOptions, ServerSession } from '@ehlo/engine';
import { encodeBase64, octets } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import {
  type JsonSchema,
  joined,
  NotReplayable,
  type Recording,
  recorded,
  replayTranscript,
  type Transcript,
  transcribe,
  variants,
  violations,
} from '../src/index.ts';
import { transcripts } from './vectors.ts';

const schema = JSON.parse(
  readFileSync(new URL('../../../test-vectors/schema/transcript.schema.json', import.meta.url), 'utf8'),
) as JsonSchema;

const NAME = 'a-recording';
const WHY = 'What was said to a server, and what it did then.';
const PASSWORD = 'correct horse battery staple';
const PLAIN = encodeBase64(octets(`\0ann\0${PASSWORD}`));

/** A loop as a driver has it, with a clock of its own; `answer` decides. */
class Loop {
  readonly session: ServerSession;
  readonly answer: (session: ServerSession, event: never) => void;
  recording: Recording | null = null;
  now = 1234.5;
  said = '';

  constructor(
    options: ServerOptions,
    answer: (session: ServerSession, event: never) => void = () => {},
    room?: (octets: number) => boolean,
  ) {
    this.answer = answer;
    const facts = { peer: { address: '192.0.2.1', port: 50_000 } };
    const ended = (recording: Recording): void => {
      this.recording = recording;
    };
    this.session = recorded(new ServerSession(options, facts), options, facts, room === undefined ? { ended } : { ended, room });
    this.do(() => {});
  }

  do(call: () => void): this {
    this.session.tick(this.now);
    call();
    for (let more = true; more; ) {
      for (let event = this.session.nextEvent(); event !== null; event = this.session.nextEvent())
        this.answer(this.session, event as never);
      const bytes = this.session.nextOutput();
      more = bytes !== null;
      if (bytes === null) continue;
      this.session.written(bytes.length);
      this.said += String.fromCharCode(...bytes);
    }
    return this;
  }

  say(text: string): this {
    this.now += 10.7;
    return this.do(() => this.session.receive(octets(text)));
  }

  end(): this {
    return this.do(() => this.session.lost());
  }

  transcript(): Transcript {
    return transcribe(this.recording!, NAME, WHY);
  }
}

/** It keeps to the schema, and comes out in every way of replaying it. */
function holds(transcript: Transcript): void {
  expect(violations({ transcripts: [transcript] } as never, schema)).toEqual([]);
  for (const options of variants(transcript)) replayTranscript(transcript, options);
}

const outs = ({ steps }: Transcript): string => steps.map((step) => ('out' in step ? joined(step.out) : '')).join('');

describe('a recording replays', () => {
  test('as curl speaks, with a program that answers', () => {
    const loop = new Loop({ hostname: 'mx.example.org', preset: 'mx', ask: ['rcpt', 'message'], trace: true }, (session, event) => {
      const { type } = event as { type: string };
      if (type === 'rcpt') session.accept(event, { text: 'good' } as never);
      if (type === 'message') session.reject(event, { code: 550, enhanced: '5.7.1', text: 'not today' });
    });
    loop.say('EHLO curl\r\n').say('MAIL FROM:<ann@example.net> SIZE=9\r\nRCPT TO:<bob@example.org>\r\n').say('DATA\r\n');
    loop.say('Subject: a\r\n\r').say('\n..\r\n.\r\n').say('QUIT\r\n');
    const transcript = loop.transcript();
    holds(transcript);
    expect(outs(transcript)).toBe(loop.said);
    expect(transcript.steps.map((step) => ('chunk' in step ? joined(step.chunk) : '')).join('')).toBe('Subject: a\r\n\r\n.\r\n');
    expect(transcript.steps).toContainEqual({ tick: 10 });
  });

  test('with a message that is refused in the midst of its content', () => {
    const loop = new Loop({ hostname: 'mx.example.org', preset: 'mx', ask: ['rcpt', 'message'] }, (session, event) => {
      const { type } = event as { type: string };
      if (type === 'rcpt') session.accept(event, {} as never);
      if (type === 'chunk') session.discard({ code: 552, enhanced: '5.3.4', text: 'enough' });
    });
    loop.say('EHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n').say('one\r\n').say('two\r\n.\r\nQUIT\r\n');
    const transcript = loop.transcript();
    holds(transcript);
    expect(transcript.steps).toContainEqual({ chunk: 'one\r\n', discard: { code: 552, enhanced: '5.3.4', text: 'enough' } });
    expect(outs(transcript)).toContain('552 5.3.4 enough\r\n');
  });

  test('with time that runs out, told in whole milliseconds', () => {
    const loop = new Loop({ hostname: 'mx.example.org', preset: 'sink' }).say('EHLO a.example\r\n');
    loop.now = loop.session.deadline;
    const transcript = loop.do(() => {}).transcript();
    holds(transcript);
    expect(transcript.steps).toContainEqual({ tick: 300_000 });
    expect(outs(transcript)).toContain('421 ');
  });

  test('up to where there was no more room for it', () => {
    let left = 600;
    const room = (octets: number): boolean => {
      left -= octets;
      return left >= 0;
    };
    const loop = new Loop({ hostname: 'mx.example.org', preset: 'sink' }, () => {}, room);
    loop
      .say('EHLO a.example\r\n')
      .say('NOOP\r\n')
      .say(`NOOP ${'x'.repeat(300)}\r\n`)
      .say('QUIT\r\n');
    const transcript = loop.transcript();
    holds(transcript);
    expect(JSON.stringify(transcript)).not.toContain('xxx');
    expect(loop.recording!.cut).toBe(true);
  });
});

describe('secrets are withheld, and the transcript replays', () => {
  const auth: ServerOptions = {
    hostname: 'mx.example.org',
    preset: 'submission',
    ask: ['auth', 'message'],
    auth: { mechanisms: ['PLAIN', 'LOGIN'], inClear: true },
  };
  const judge = (session: ServerSession, event: never): void => {
    const { type, response, step } = event as { type: string; response: unknown; step: number };
    if (type !== 'auth') return;
    if (response === null) session.challenge(event, octets('a challenge of ours'));
    else if (step > 1) session.reject(event, { code: 535, enhanced: '5.7.8', text: 'no' });
    else session.accept(event, { identity: 'ann' } as never);
  };
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['an initial response', [`AUTH PLAIN ${PLAIN}\r\n`]],
    ['one that is cut in three', ['auth pl', `ain ${PLAIN.slice(0, 9)}`, `${PLAIN.slice(9)}\r\nNOOP\r\n`]],
    ['a response to a challenge', ['AUTH PLAIN\r\n', `${PLAIN}\r\n`]],
    ['one that is no base64', ['AUTH PLAIN\r\n', `${PASSWORD}\r\n`]],
    ['a mechanism that is not offered', [`AUTH SCRAM-SHA-1 ${PLAIN}\r\n`]],
    ['no mechanism', [`AUTH ${PLAIN}\r\n`]],
    ['a response where none is asked', [`AUTH PLAIN ${PLAIN}\r\n`, `${PLAIN}\r\n`, `${PASSWORD}\r\n`, 'NOOP\r\n']],
    ['a line that is too long', [`AUTH PLAIN ${PLAIN.repeat(400)}\r\n`]],
    ['a cancellation', ['AUTH PLAIN\r\n', '*\r\n']],
    ['no octets at all', ['AUTH PLAIN =\r\n']],
    ['pipelined behind other commands', [`NOOP\r\nAUTH PLAIN ${PLAIN}\r\nMAIL FROM:<ann@example.org>\r\n`]],
  ];

  test.each(cases)('%s', (_, said) => {
    const loop = new Loop(auth, judge).say('EHLO a.example\r\n');
    for (const text of said) loop.say(text);
    const transcript = loop.say('QUIT\r\n').end().transcript();
    holds(transcript);
    const written = JSON.stringify(transcript);
    expect(written).not.toContain(PLAIN.slice(3, 20));
    expect(written).not.toContain(PASSWORD);
    expect(written).not.toContain('a challenge of ours');
    expect(outs(transcript).replaceAll(/^334 .*/gm, '')).toBe(loop.said.replaceAll(/^334 .*/gm, ''));
  });
});

test('what would come out otherwise is no transcript', () => {
  const loop = new Loop({ hostname: 'mx.example.org', preset: 'sink' }).say('NOOP\r\n').end();
  const recording = loop.recording!;
  expect(() => transcribe({ ...recording, output: '220 else\r\n' }, NAME, WHY)).toThrow(NotReplayable);
  expect(() => transcribe({ ...recording, events: ['0 {"type":"fault"}'] }, NAME, WHY)).toThrow(NotReplayable);
});

/** Drivers look at a session before its client can speak, and what a client does not read is not recorded. */
const NOT_RECORDED: ReadonlySet<string> = new Set([
  'early-talker-refused',
  'timeouts-of-a-client-that-does-not-read',
  'timeouts-of-a-client-that-does-not-read-in-data',
  'unacknowledged-while-the-client-does-not-read',
  'unacknowledged-by-a-client-that-does-not-read-in-time',
  'unacknowledged-behind-quit',
  'replies-not-read-in-auth',
  'replies-not-read-in-chunk',
  'replies-not-read-in-chunks',
  'replies-not-read-in-connect',
  'replies-not-read-in-drain',
  'replies-not-read-in-greeting',
  'replies-not-read-in-mail',
  'replies-not-read-in-message',
  'replies-not-read-in-rcpt',
  'replies-not-read-in-refused',
  'replies-not-read-in-tls',
]);

test.each(transcripts.filter(({ transcript: { options } }) => !options.extensions?.some((one) => typeof one !== 'string')))(
  '$transcript.name, recorded while it is replayed, replays as well',
  ({ transcript }) => {
    const notes: Recording[] = [];
    class Recorded extends ServerSession {
      constructor(options: ServerOptions) {
        super(options);
        const session = recorded(this, options, options, { ended: (recording) => notes.push(recording) });
        session.tick(0);
        // biome-ignore lint/correctness/noConstructorReturn: what is driven is the proxy
        return session;
      }
    }
    replayTranscript(transcript, { Session: Recorded as never });
    // It is told when it is over: not every transcript goes as far.
    if (notes.length === 0) return;
    const make = (): Transcript => transcribe(notes[0]!, NAME, WHY);
    if (NOT_RECORDED.has(transcript.name)) expect(make).toThrow(NotReplayable);
    else expect(violations({ transcripts: [make()] } as never, schema)).toEqual([]);
  },
);
