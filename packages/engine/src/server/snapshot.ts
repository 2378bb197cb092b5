import { SmtpUsageError } from '../error.ts';
import type { Peer } from '../facts.ts';
import { Core, type State } from './core.ts';
import { DotReader, type DotState } from './dot-reader.ts';
import type { Question, ServerEvent } from './events.ts';
import type { LimitName } from './limits.ts';
import { dialectOf } from './offer.ts';
import type { Policy } from './policy.ts';

/** A session as plain data (octets included): for tests, tools and hibernation. Versions of the engine do not share it. */
export interface Snapshot {
  readonly state: Omit<State, 'body' | 'exchange'> & { readonly body: BodySnapshot | null };
  readonly question: Question | null;
  readonly events: readonly ServerEvent[];
  readonly input: Uint8Array;
  /** Whether the line at the start of the input has already gone beyond its limit. */
  readonly dropped: boolean;
  readonly output: Uint8Array;
  readonly timer: LimitName | null;
  /** Milliseconds that were left. */
  readonly timerLeft: number;
  readonly flushLeft: number;
}

interface BodySnapshot {
  readonly dots: DotState;
  readonly line: number;
  readonly bareCr: number;
  readonly bareLf: number;
  readonly size: number;
  readonly block: number;
  readonly drained: number;
  readonly verdict: State['farewell'];
}

export function snapshotOf(core: Core): Snapshot {
  const { state, question } = core;
  if (state.phase === 'auth' || state.phase === 'tls') {
    throw new SmtpUsageError('snapshot-refused', 'an AUTH exchange or a TLS hand-over can not be carried over');
  }
  const { body, exchange: _, ...rest } = state;
  const { flushEnds } = core;
  const output = core.takeOutput() ?? new Uint8Array(0);
  if (output.length > 0) core.send(output);
  core.flushEnds = flushEnds;
  return {
    state: {
      ...rest,
      envelope: state.envelope === null ? null : { ...state.envelope, recipients: [...state.envelope.recipients] },
      body: body === null ? null : bodySnapshot(body),
      refusedChunk: state.refusedChunk === null ? null : { ...state.refusedChunk },
    },
    question,
    events: core.events
      .filter((event) => event !== question)
      .map((event) => (event.type === 'chunk' ? { ...event, bytes: event.bytes.slice() } : event)),
    input: core.input.unread().slice(),
    dropped: core.input.dropped,
    output: output.slice(),
    timer: core.timer,
    timerLeft: core.timerEnds - core.now,
    flushLeft: core.flushEnds - core.now,
  };
}

export function restoreCore(policy: Policy, peer: Peer, snapshot: Snapshot, now: number): Core {
  const core = new Core(policy, peer, snapshot.state.tls);
  const { body, envelope } = snapshot.state;
  core.now = now;
  core.state = {
    ...snapshot.state,
    envelope: envelope === null ? null : { ...envelope, recipients: [...envelope.recipients] },
    body: body === null ? null : { reader: reader(body), size: body.size, block: body.block, drained: body.drained, verdict: body.verdict },
    refusedChunk: snapshot.state.refusedChunk === null ? null : { ...snapshot.state.refusedChunk },
    exchange: null,
  };
  core.input.resume(snapshot.input.slice(), snapshot.dropped);
  core.events.push(...snapshot.events);
  // The open question is asked again.
  core.question = snapshot.question;
  if (snapshot.question !== null) core.events.push(snapshot.question);
  core.dialect = dialectOf(core);
  if (snapshot.output.length > 0) core.send(snapshot.output.slice());
  core.timer = snapshot.timer;
  core.timerEnds = now + snapshot.timerLeft;
  core.flushEnds = now + snapshot.flushLeft;
  return core;
}

function bodySnapshot({ reader, size, block, drained, verdict }: NonNullable<State['body']>): BodySnapshot {
  const { state: dots, line, bareCr, bareLf } = reader;
  return { dots, line, bareCr, bareLf, size, block, drained, verdict };
}

function reader({ dots, line, bareCr, bareLf }: BodySnapshot): DotReader {
  const reader = new DotReader();
  reader.state = dots;
  Object.assign(reader, { line, bareCr, bareLf });
  return reader;
}
