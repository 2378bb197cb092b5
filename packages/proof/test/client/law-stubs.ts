// The client against a server that does what stubs say, in memory: presets of the world and files at random. Whatever it is told, it tells the truth.
import type { ClientOptions, Question, Rejection } from '@ehlo/engine';
import { latin1 } from '@ehlo/grammar';
import { STUB_PRESETS, type StubFile } from '@ehlo/testing';
import { type Action, type Facts, type Stage, StubSet } from '@ehlo/testing/stubs';
import fc from 'fast-check';
import { CUTS, directiveOf, refusal } from '../../../testing/src/directive.ts';
import { accepts } from '../../../testing/src/reply-octets.ts';
import { NOBODY } from '../../../testing/src/stub.ts';
import { anyStub } from '../../../testing/test/stub-arbitraries.ts';
import { type ClientClass, type Job, Pair } from '../../src/index.ts';
import { type Law, property, same } from '../laws/law.ts';
import { body, normalised, pieces, told } from './law-pair.ts';

const STAGES = ['connect', 'hello', 'mail', 'rcpt', 'data', 'message'] as const;
/** Stages of a conversation in clear by DATA, and no settings: what a session is made of stays. */
const stub = anyStub.filter(
  ({ on, do: action }) => (STAGES as readonly string[]).includes(on) && action.capabilities === undefined && action.limits === undefined,
);

interface Case {
  readonly client: ClientOptions;
  readonly presets: readonly StubFile[];
  readonly stubs: StubFile['stubs'];
  readonly bodies: readonly string[];
  readonly recipients: readonly string[];
  readonly cuts: number;
  readonly latency: number;
}

const CASE: fc.Arbitrary<Case> = fc.record({
  client: fc.record({
    hostname: fc.constant('client.example.org'),
    pipelining: fc.constantFrom('off', 'envelope', 'data', 'transactions'),
    replies: fc.constantFrom('strict', 'tolerant'),
    starttls: fc.constant('off' as const),
  }),
  presets: fc.subarray(Object.values(STUB_PRESETS), { maxLength: 2 }),
  stubs: fc.array(stub, { maxLength: 4 }),
  bodies: fc.array(body, { minLength: 1, maxLength: 3 }),
  recipients: fc.subarray(['ann@b.example', 'ab@c.d', 'full@b.example', 'nobody@b.example'], { minLength: 1 }),
  cuts: fc.nat(1 << 16),
  latency: fc.constantFrom(0, 3),
});

/** An application that does what stubs say, and what then goes over the wire. */
class Stubbed {
  readonly #stubs: StubSet = new StubSet();
  #action: Action | null = null;

  constructor(presets: readonly StubFile[], stubs: StubFile['stubs']) {
    this.#stubs.preset(...presets, { stubs });
  }

  decide(question: Question, { now, server }: Pair): Rejection | null {
    const stage = question.type as Stage;
    const { envelope, hello } = server;
    const facts: Facts = {
      ...NOBODY,
      stage,
      peer: '127.0.0.1',
      hello: question.type === 'hello' ? question.name : (hello?.name ?? null),
      from: question.type === 'mail' ? question.reversePath.address : (envelope?.reversePath.address ?? null),
      to:
        question.type === 'rcpt'
          ? [question.forwardPath.address]
          : (envelope?.recipients.map(({ forwardPath }) => forwardPath.address) ?? []),
      size: question.type === 'mail' ? (question.parameters.size ?? null) : null,
    };
    this.#action = this.#stubs.decide(facts, now).action;
    const reply = this.#action?.reply;
    return reply === undefined || accepts(reply) ? null : refusal(reply, stage);
  }

  spoil(question: Question, usual: Uint8Array): readonly (Uint8Array | 'lost' | 'silent')[] {
    const action = this.#action;
    if (action === null || action.pass === true) return [usual];
    const { instead, split } = directiveOf(action, question.type as Stage);
    const said = instead === null ? usual : instead(usual);
    const kind = CUTS.find((name) => action[name] !== undefined);
    // What begins a reply and does not end it takes the next for its end: what is true then nobody can say.
    const rest = isWhole(said) ? [] : ['silent' as const];
    if (kind === undefined) return [...(split === null ? [said] : chunks(said, split.every)), ...rest];
    const cut = action[kind];
    const before = said.subarray(0, cut === true || cut === undefined ? 0 : cut.after);
    return [before, kind === 'stall' ? 'silent' : 'lost'];
  }
}

function isWhole(reply: Uint8Array): boolean {
  return !/(?:^|\n)\d{3}-[^\n]*\n$/.test(latin1(reply, 0, reply.length));
}

function* chunks(bytes: Uint8Array, every: number): Generator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += every) yield bytes.subarray(at, at + every);
}

function check(Client: ClientClass, { client, presets, stubs, bodies, recipients, cuts, latency }: Case): void {
  const jobs = bodies.map(
    (text, job): Job => ({
      envelope: { reversePath: `job${job}@a.example`, recipients: recipients.map((forwardPath) => ({ forwardPath })) },
      facts: { body: '8BITMIME' },
      pieces: pieces(text, cuts),
    }),
  );
  const application = new Stubbed(presets, stubs);
  const pair: Pair = new Pair({
    Client,
    client,
    server: { hostname: 'mx.example.org', preset: 'sink', ask: STAGES },
    errand: { jobs },
    decide: (question) => application.decide(question, pair),
    spoil: (question, reply) => application.spoil(question, reply),
    latency,
  });
  pair.run();
  const { events } = pair.sender;
  same(events.filter(({ type }) => type === 'closed').length, 1, 'ends');
  same(events.at(-1)?.type, 'closed', 'the last event');
  told(pair, jobs);
  for (const { reversePath, content } of pair.stored)
    same(latin1(content, 0, content.length), normalised(bodies[Number(reversePath[3])]!), 'the message');
}

export const STUB_LAWS: readonly Law<ClientClass>[] = [
  property('client 14: whatever a server does that fails on command, each recipient has one outcome, and it is true', CASE, check),
];
