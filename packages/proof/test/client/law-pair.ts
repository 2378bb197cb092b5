// Client and server joined in memory: what was sent is what arrived, and what became of it is told once and truly.
import { AUTH, CHUNKING, type ClientOptions, type Question, type Rejection, type ServerOptions } from '@ehlo/engine';
import { latin1, octets, PARAMETERS } from '@ehlo/grammar';
import fc from 'fast-check';
import { type ClientClass, type Job, Pair, type Stored } from '../../src/index.ts';
import { CASES, holds, type Law, property, same } from '../laws/law.ts';

/** Bodies of what makes trouble. */
export const body: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 24,
    arbitrary: fc
      .array(fc.constantFrom('\r\n', '\r', '\n', '.', '..', 'a', 'b c', '\r\n.\r\n', '\n.\n', '\r.\r', '\0'), { maxLength: 24 })
      .map((parts) => parts.join('')),
  },
  { weight: 2, arbitrary: fc.array(fc.constantFrom('\r\n', '.', '\xe9', 'a', '\n'), { maxLength: 24 }).map((parts) => parts.join('')) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('x', '\n', '.\r\n', 'line\r\n', '\r'), fc.integer({ min: 1000, max: 90_000 }))
      .map(([unit, octets]) => unit.repeat(Math.ceil(octets / unit.length)) + unit.slice(0, 1)),
  },
);

/** RFC 5321 2.3.8, 4.1.1.4: what a message is as mail data: every line end CRLF, and one at its end. */
export function normalised(text: string): string {
  const lines = text.replaceAll(/\r\n|\r|\n/g, '\r\n');
  return lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
}

interface Case {
  readonly client: ClientOptions;
  readonly server: ServerOptions;
  readonly jobs: readonly {
    readonly body: string;
    readonly cuts: number;
    readonly recipients: number;
    readonly binary: boolean;
    readonly abortAt: number | null;
  }[];
  /** What the application says to its questions, in turn. */
  readonly decisions: readonly number[];
  readonly latency: number;
  readonly cut: number;
  /** After how many octets the connection is lost; null: never. */
  readonly lostAfter: number | null;
}

const cases = (chunking: boolean): fc.Arbitrary<Case> =>
  fc.record({
    client: fc.record({
      hostname: fc.constant('client.example.org'),
      pipelining: fc.constantFrom('off', 'envelope', 'data', 'transactions'),
      replies: fc.constantFrom('strict', 'tolerant'),
      starttls: fc.constantFrom('off', 'opportunistic'),
      protocol: fc.constantFrom('smtp', 'smtp', 'lmtp'),
      limits: fc.constantFrom({}, { flight: 60 }),
    }),
    server: fc.record({
      hostname: fc.constant('mx.example.org'),
      preset: fc.constant('sink' as const),
      ask: fc.constantFrom(['message'] as const, ['mail', 'rcpt', 'data', 'message'] as const),
      starttls: fc.constantFrom('off', 'offered'),
      extensions: fc
        .subarray(['PIPELINING', 'SIZE', 'ENHANCEDSTATUSCODES', 'STARTTLS'])
        .map((some) => [...some, '8BITMIME', 'SMTPUTF8', 'BINARYMIME', 'CHUNKING']),
    }),
    jobs: fc.array(
      fc.record({
        body,
        cuts: fc.nat(1 << 16),
        recipients: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 4 }) }, { weight: 1, arbitrary: fc.constant(40) }),
        binary: chunking ? fc.boolean() : fc.constant(false),
        abortAt: fc.oneof({ weight: 12, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(3) }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    decisions: fc.array(fc.constantFrom(0, 0, 0, 0, 450, 550, 0, 421), { minLength: 1, maxLength: 12 }),
    latency: fc.constantFrom(0, 3, 2000),
    cut: fc.nat(1 << 16),
    lostAfter: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(2500) }),
  });

export function pieces(text: string, cuts: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let from = 0, seed = cuts; from < text.length; seed = (seed * 1103515245 + 12345) >>> 1) {
    const to = cuts === 0 ? text.length : from + 1 + (seed % (text.length > 500 ? 9000 : 7));
    found.push(octets(text.slice(from, to)));
    from = to;
  }
  return found;
}

function check(Client: ClientClass, chunking: boolean, { client, server, jobs, decisions, latency, cut, lostAfter }: Case): void {
  const sent: Job[] = jobs.map(({ body, cuts, recipients, binary, abortAt }, job) => ({
    envelope: {
      reversePath: `job${job}@a.example`,
      recipients: Array.from({ length: recipients }, (_, i) => ({ forwardPath: `r${i}@b${i % 3}.example` })),
    },
    facts: { body: binary ? 'BINARYMIME' : '8BITMIME', ...(binary ? {} : { size: normalised(body).length }) },
    pieces: pieces(body, cuts),
    apart: cuts % 2 === 1,
    ...(abortAt === null ? {} : { abortAt }),
  }));
  let asked = 0;
  const decide = ({ type }: Question): Rejection | null => {
    const code = ['mail', 'rcpt', 'data', 'message'].includes(type) ? decisions[asked++ % decisions.length]! : 0;
    return code === 0 ? null : { code, text: 'no' };
  };
  const pair = new Pair({
    Client,
    client: { ...client, parameters: PARAMETERS, features: chunking ? [AUTH, CHUNKING] : [] },
    server: {
      ...server,
      ...(client.protocol === 'lmtp'
        ? { preset: 'lmtp' as const, ask: ['rcpt', 'message'] as const, tolerate: new Set(), bareLineEnds: 'keep' as const }
        : {}),
    },
    errand: { jobs: sent },
    decide,
    latency,
    cut: (bytes) => (cut === 0 ? [bytes] : pieces(latin1(bytes, 0, bytes.length), cut)),
    ...(lostAfter === null ? {} : { lostAfter }),
  }).run();
  const { events } = pair.sender;
  same(events.filter(({ type }) => type === 'closed').length, 1, 'ends');
  const last = events.at(-1)!;
  same(last.type, 'closed', 'the last event');
  holds(last.type !== 'closed' || last.cause !== 'timeout', 'the two wait for each other');
  told(pair, sent);
  for (const stored of pair.stored) {
    const job = jobs[Number(stored.reversePath[3])]!;
    same(latin1(stored.content, 0, stored.content.length), job.binary ? job.body : normalised(job.body), 'the message');
  }
}

/** One outcome for each recipient of each message that was begun, and each of them true. */
export function told({ sender, stored }: Pair, sent: readonly Job[]): void {
  const count = new Map<string, number>();
  for (const event of sender.events) {
    if (event.type === 'outcome')
      count.set(`${event.transaction} ${event.index}`, (count.get(`${event.transaction} ${event.index}`) ?? 0) + 1);
  }
  holds(
    [...count.values()].every((times) => times === 1),
    'an outcome is told twice',
  );
  for (const [job, outcomes] of sender.outcomes().entries()) {
    if (outcomes.every((outcome) => outcome === undefined)) continue; // never begun
    for (const [index, outcome] of outcomes.entries()) {
      const { recipients } = sent[job]!.envelope;
      const path = recipients[index]!.forwardPath as string;
      const times = stored.filter((one: Stored) => one.reversePath === `job${job}@a.example` && one.recipients.includes(path)).length;
      holds(outcome !== undefined, `job ${job}, recipient ${index}: no outcome`);
      const possible = { accepted: [1], refused: [0], unsent: [0], unknown: [0, 1] }[outcome!.status];
      holds(possible.includes(times), `job ${job}, recipient ${index}: ${outcome!.status}, and stored ${times} times`);
    }
  }
  const settled = sender.events.filter(({ type }) => type === 'settled').length;
  same(settled, new Set(sender.events.flatMap((event) => (event.type === 'outcome' ? [event.transaction] : []))).size, 'settled');
}

/** More than of other laws: the most can happen here. */
const TIMES = 5;

const law = (name: string, chunking: boolean): Law<ClientClass> => {
  const one = property(name, cases(chunking), (Client: ClientClass, given) => check(Client, chunking, given));
  return { name, check: (Client, runs) => one.check(Client, runs < CASES ? runs : TIMES * runs) };
};

export const PAIR_LAWS: readonly Law<ClientClass>[] = [
  law('client 7: what is sent by DATA is what is stored, and every outcome is told once and is true', false),
  law('client 7: what is sent by BDAT is what is stored, and every outcome is told once and is true', true),
];
