import { SmtpUsageError } from '../error.ts';
import type { Peer } from '../facts.ts';
import { copy } from '../octets.ts';
import { ChunkReader } from './chunk-reader.ts';
import type { ClockSnapshot } from './clock.ts';
import { DotReader, type DotState } from './dot-reader.ts';
import type { Question, ServerEvent } from './events.ts';
import type { Counts, Facts, Message, Transaction } from './facts.ts';
import { Machine } from './machine.ts';
import type { Policy } from './options.ts';
import type { OutboxSnapshot } from './outbox.ts';
import type { Phase } from './row.ts';

/**
 * A session as plain data (octets included): for tests, tools and hibernation. Versions of the engine do not share it. Its `input` has the
 * octets that were not read yet, which can be a line of AUTH: protect it like a password.
 */
export interface Snapshot {
  readonly phase: Phase;
  readonly facts: Omit<Facts, 'exchange'>;
  readonly transaction: Omit<Transaction, 'message'> & { readonly message: MessageSnapshot | null };
  readonly counts: Counts;
  readonly question: Question | null;
  readonly events: readonly ServerEvent[];
  readonly input: Uint8Array;
  /** Whether the peer has ended its side. */
  readonly ended: boolean;
  /** Whether `input` goes on with a line that a bare LF has broken. */
  readonly broken: boolean;
  readonly outbox: OutboxSnapshot;
  readonly clock: ClockSnapshot;
}

interface MessageSnapshot extends Omit<Message, 'reader'> {
  readonly reader: DotsSnapshot | ChunkSnapshot;
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

export function snapshotOf(machine: Machine): Snapshot {
  const { phase, counts, question, input, outbox, clock } = machine;
  if (phase === 'auth' || phase === 'tls') {
    throw new SmtpUsageError('snapshot-refused', 'an AUTH exchange or a TLS hand-over can not be carried over');
  }
  const { exchange: _, ...facts } = machine.facts;
  const { message } = machine.transaction;
  const envelope = copyOf(machine.transaction.envelope);
  return {
    phase,
    facts: { ...facts, refusedChunk: facts.refusedChunk === null ? null : { ...facts.refusedChunk } },
    transaction: {
      ...machine.transaction,
      envelope,
      message: message === null ? null : { ...message, reader: readerSnapshot(message.reader) },
    },
    counts: { ...counts, domains: new Set(counts.domains) },
    question: about(question, envelope),
    events: machine.events
      .filter((event) => event !== question)
      .map((event) => (event.type === 'chunk' ? { ...event, bytes: copy(event.bytes) } : event)),
    input: copy(input.unread()),
    ended: input.ended,
    broken: input.broken,
    outbox: outbox.snapshot(),
    clock: clock.snapshot(),
  };
}

export function restoreMachine(policy: Policy, peer: Peer, snapshot: Snapshot, now: number): Machine {
  const { facts, transaction, counts } = snapshot;
  const machine = new Machine(policy, peer, facts.tls);
  const { message } = transaction;
  const envelope = copyOf(transaction.envelope);
  machine.enter(snapshot.phase);
  machine.facts = { ...facts, refusedChunk: facts.refusedChunk === null ? null : { ...facts.refusedChunk }, exchange: null };
  machine.transaction = {
    ...transaction,
    envelope,
    message: message === null ? null : { ...message, reader: restoreReader(message.reader) },
  };
  machine.counts = { ...counts, domains: new Set(counts.domains) };
  machine.input.resume(copy(snapshot.input), snapshot.ended, snapshot.broken);
  machine.events.push(...snapshot.events);
  // The open question is asked again.
  const question = about(snapshot.question, envelope);
  if (question !== null) machine.askAgain(question);
  machine.outbox.resume(snapshot.outbox);
  machine.clock.resume(snapshot.clock, now);
  return machine;
}

function copyOf(envelope: Transaction['envelope']): Transaction['envelope'] {
  return envelope === null ? null : { ...envelope, recipients: [...envelope.recipients] };
}

/** The question, about the session's own envelope: that one grows. */
function about(question: Question | null, envelope: Transaction['envelope']): Question | null {
  return question !== null && 'envelope' in question ? { ...question, envelope: envelope! } : question;
}

function readerSnapshot(reader: Message['reader']): DotsSnapshot | ChunkSnapshot {
  const { line, bareCr, bareLf } = reader;
  if (reader instanceof DotReader) return { state: reader.state, ended: reader.ended, line, bareCr, bareLf };
  const { binary, size, left, last, cr } = reader;
  return { binary, size, left, last, cr, line, bareCr, bareLf };
}

function restoreReader(snapshot: DotsSnapshot | ChunkSnapshot): Message['reader'] {
  const reader = 'state' in snapshot ? new DotReader() : new ChunkReader(snapshot.binary, snapshot.size, snapshot.last);
  return Object.assign(reader, snapshot);
}
