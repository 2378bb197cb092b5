import { SmtpUsageError } from '../error.ts';
import type { Peer } from '../facts.ts';
import { copy } from '../octets.ts';
import { ChunkReader } from './chunk-reader.ts';
import { Core, type State } from './core.ts';
import { DotReader, type DotState } from './dot-reader.ts';
import type { Question, ServerEvent } from './events.ts';
import type { LimitName } from './limits.ts';
import { dialectOf } from './offer.ts';
import type { OutboxSnapshot } from './outbox.ts';
import type { Policy } from './policy.ts';

/**
 * A session as plain data (octets included): for tests, tools and hibernation. Versions of the engine do not share it. Its `input` is what was
 * not read yet, the line of an AUTH among it: keep it as you keep a password, and show it to nobody.
 */
export interface Snapshot {
  readonly state: Omit<State, 'body' | 'exchange'> & { readonly body: BodySnapshot | null };
  readonly question: Question | null;
  readonly events: readonly ServerEvent[];
  readonly input: Uint8Array;
  /** Whether the line at the start of the input has already gone beyond its limit. */
  readonly dropped: boolean;
  readonly outbox: OutboxSnapshot;
  readonly timer: LimitName | null;
  /** Milliseconds that were left. */
  readonly timerLeft: number;
  readonly flushLeft: number;
  /** Milliseconds that the program has been busy with content; negative and infinite: it is not. */
  readonly busyFor: number;
}

interface BodySnapshot {
  readonly reader: DotsSnapshot | ChunkSnapshot;
  readonly size: number;
  readonly block: number;
  readonly verdict: State['farewell'];
  readonly delay: number;
}

interface DotsSnapshot {
  readonly state: DotState;
  readonly ended: boolean;
  readonly line: number;
  readonly bareCr: number;
  readonly bareLf: number;
}

interface ChunkSnapshot {
  readonly binary: boolean;
  readonly size: number;
  readonly left: number;
  readonly last: boolean;
  readonly cr: boolean;
  readonly line: number;
  readonly bareCr: number;
  readonly bareLf: number;
}

export function snapshotOf(core: Core): Snapshot {
  const { state, question } = core;
  if (state.phase === 'auth' || state.phase === 'tls') {
    throw new SmtpUsageError('snapshot-refused', 'an AUTH exchange or a TLS hand-over can not be carried over');
  }
  const { body, exchange: _, ...rest } = state;
  const envelope = copyOf(state.envelope);
  return {
    state: {
      ...rest,
      envelope,
      domains: new Set(state.domains),
      body: body === null ? null : { ...body, reader: readerSnapshot(body.reader) },
      refusedChunk: state.refusedChunk === null ? null : { ...state.refusedChunk },
    },
    question: about(question, envelope),
    events: core.events
      .filter((event) => event !== question)
      .map((event) => (event.type === 'chunk' ? { ...event, bytes: copy(event.bytes) } : event)),
    input: copy(core.input.unread()),
    dropped: core.input.dropped,
    outbox: core.outbox.snapshot(),
    timer: core.timer,
    timerLeft: core.timerEnds - core.now,
    flushLeft: core.flushEnds - core.now,
    busyFor: core.now - core.busySince,
  };
}

export function restoreCore(policy: Policy, peer: Peer, snapshot: Snapshot, now: number): Core {
  const core = new Core(policy, peer, snapshot.state.tls);
  const { body } = snapshot.state;
  const envelope = copyOf(snapshot.state.envelope);
  core.now = now;
  core.state = {
    ...snapshot.state,
    envelope,
    domains: new Set(snapshot.state.domains),
    body: body === null ? null : { ...body, reader: restoreReader(body.reader) },
    refusedChunk: snapshot.state.refusedChunk === null ? null : { ...snapshot.state.refusedChunk },
    exchange: null,
  };
  core.input.resume(copy(snapshot.input), snapshot.dropped);
  core.events.push(...snapshot.events);
  // The open question is asked again.
  core.question = about(snapshot.question, envelope);
  if (core.question !== null) core.events.push(core.question);
  core.toHello = core.question?.type === 'hello';
  core.dialect = dialectOf(core);
  core.outbox.resume(snapshot.outbox);
  core.timer = snapshot.timer;
  core.timerEnds = now + snapshot.timerLeft;
  core.flushEnds = now + snapshot.flushLeft;
  core.busySince = now - snapshot.busyFor;
  return core;
}

function copyOf(envelope: State['envelope']): State['envelope'] {
  return envelope === null ? null : { ...envelope, recipients: [...envelope.recipients] };
}

/** The question, about the session's own envelope: that one grows. */
function about(question: Question | null, envelope: State['envelope']): Question | null {
  return question !== null && 'envelope' in question ? { ...question, envelope: envelope! } : question;
}

function readerSnapshot(reader: DotReader | ChunkReader): DotsSnapshot | ChunkSnapshot {
  const { line, bareCr, bareLf } = reader;
  if (reader instanceof DotReader) return { state: reader.state, ended: reader.ended, line, bareCr, bareLf };
  const { binary, size, left, last, cr } = reader;
  return { binary, size, left, last, cr, line, bareCr, bareLf };
}

function restoreReader(snapshot: DotsSnapshot | ChunkSnapshot): DotReader | ChunkReader {
  const reader = 'state' in snapshot ? new DotReader() : new ChunkReader(snapshot.binary, snapshot.size, snapshot.last);
  return Object.assign(reader, snapshot);
}
