// A message on its way into the queue: traced, completed where users send it, measured, and durable before it is acknowledged.

import { isAscii } from 'node:buffer';
import type { Message, Queue } from '@ehlo/delivery';
import { type Acceptance, accept, type IncomingMessage, type Refusal, reject, type Session } from '@ehlo/driver';
import {
  ANY_HEADER,
  addDate,
  addMessageId,
  type Edit,
  fieldValue,
  isNamed,
  MessageEditor,
  received,
  removeBcc,
  removeReturnPath,
} from '@ehlo/message';
import { LoopWatch } from '@ehlo/message/loops';
import { asciiAddress } from './directory.ts';
import { isConvertible, jobsOf, messageOf, type TakenRecipient } from './facts.ts';
import { Holding, type Memory, type OpenScratch } from './holding.ts';
import type { RelayLog } from './log.ts';

/** What it is done with. */
export interface IntakeMeans {
  readonly queue: Pick<Queue, 'put'>;
  readonly memory: Memory;
  readonly scratch: OpenScratch;
  readonly log: RelayLog;
  readonly now: () => number;
  /** A name that no other message has, an Atom (RFC 5321 4.4). */
  readonly newId: () => string;
  /** There may be something in the queue. */
  readonly arrived: () => void;
}

/** How. */
export interface IntakeRules {
  readonly hostname: string;
  /** Received fields that a message may have (RFC 5321 6.3). */
  readonly hops: number;
  /** Dates, names and the rest that a user's program has left to the server (RFC 6409 8). */
  readonly completes: boolean;
  readonly listener: string;
  /** An address as it is queued. */
  readonly queued: (path: IncomingMessage['envelope']['recipients'][number]['forwardPath']) => string;
}

/** Takes a message; refuses it where it goes round in circles, or can not be kept. What is thrown beside is 451. */
export async function takeMessage(
  message: IncomingMessage,
  session: Session,
  rules: IntakeRules,
  means: IntakeMeans,
): Promise<Acceptance | Refusal> {
  const { envelope } = message;
  const id = means.newId();
  const at = means.now();
  const recipients = envelope.recipients.map(({ forwardPath, parameters }): TakenRecipient => {
    return { address: rules.queued(forwardPath), parameters };
  });
  const holding = new Holding(means.memory, means.scratch);
  // The client may be gone when the body ends.
  const told = {
    id,
    listener: rules.listener,
    client: session.peer.address,
    ...(session.identity === null ? {} : { user: session.identity }),
  };
  try {
    const facts = await receive(message, edits(id, at, message, session, rules), rules, holding);
    const arrived = {
      id,
      reversePath: asciiAddress(envelope.reversePath.address),
      parameters: envelope.parameters,
      at,
      size: holding.size,
      ...facts,
    };
    const convertible = facts.isAscii && envelope.parameters.body !== 'BINARYMIME' ? false : await isConvertible(holding.content());
    const facts1: Message = messageOf(arrived, convertible);
    await means.queue.put(jobsOf(facts1, recipients), holding.content());
    means.log('info', 'received', {
      ...told,
      from: facts1.reversePath,
      to: recipients.map(({ address }) => address),
      size: facts1.size,
    });
    means.arrived();
    return accept({ text: `Queued as ${id}` });
  } catch (error) {
    const refusal = noRoom(error);
    if (refusal === null) throw error;
    means.log('error', 'no-room', { ...told, error: String((error as Error).message), reply: 452 });
    return refusal;
  } finally {
    await holding.close();
  }
}

/** RFC 5321 4.2.2: 452 where there is no room; any other failure is told by 451. */
function noRoom(error: unknown): Refusal | null {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  // Of the file system; of the spool; of PostgreSQL: disk_full and configuration_limit_exceeded.
  return NO_ROOM.has(code) ? reject(452, '4.3.1', 'Insufficient system storage, try again later') : null;
}

const NO_ROOM: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENFILE', 'full', '53100', '53400']);

interface Measured {
  hops: number;
  tlsOptional: boolean;
  headerIsAscii: boolean;
  isAscii: boolean;
}

/** Reads the body to its end, with the edits done. */
async function receive(
  { body }: IncomingMessage,
  edits: readonly Edit[],
  { hops, hostname }: IntakeRules,
  holding: Holding,
): Promise<Measured> {
  const measured: Measured = { hops: 0, tlsOptional: false, headerIsAscii: true, isAscii: true };
  const watch = new LoopWatch({ hops, names: [hostname] });
  const editor = new MessageEditor([look(watch, measured), ...edits], { tolerate: ANY_HEADER });
  const take = async (): Promise<void> => {
    for (let event = editor.next(); event !== null; event = editor.next()) {
      if (
        event.type === 'edited' &&
        event.notes.some(({ edit, change, refused }) => edit === 'remove-bcc' && change === 'removed' && refused !== null)
      )
        throw reject(554, '5.6.0', 'The field Bcc is signed, and would be seen by all recipients');
      if (event.type === 'refused') throw reject(554, '5.6.0', `The header can not be taken: ${event.message}`);
      if (event.type !== 'octets') continue;
      measured.isAscii &&= isAscii(event.bytes);
      await holding.push(event.bytes);
    }
  };
  for await (const bytes of body) {
    editor.push(bytes);
    await take();
  }
  editor.end();
  await take();
  return measured;
}

/** An edit that changes nothing: it measures, and refuses a message in a loop (RFC 5321 6.3). */
function look(watch: LoopWatch, measured: Measured): Edit {
  return {
    name: 'look',
    apply(draft) {
      for (const field of draft.fields) {
        watch.add(field);
        measured.headerIsAscii &&= isAscii(field.raw);
        // RFC 8689 5: "TLS-Required: No" is the only value that there is.
        if (isNamed(field, 'TLS-Required') && fieldValue(field).toLowerCase() === 'no') measured.tlsOptional = true;
      }
      measured.hops = watch.hops + 1;
      if (watch.loop === null) return;
      const why = watch.loop === 'hops' ? `it has ${watch.hops} Received fields` : `it has passed here ${watch.visits} times`;
      throw reject(554, '5.4.6', `Routing loop detected: ${why}`);
    },
  };
}

/** RFC 5321 4.4, RFC 6409 8.2, 8.3. */
function edits(
  id: string,
  at: number,
  { envelope }: IncomingMessage,
  session: Session,
  { hostname, completes }: IntakeRules,
): readonly Edit[] {
  const [first, ...others] = envelope.recipients;
  const offset = -new Date(at).getTimezoneOffset();
  const trace = received({
    helo: session.hello?.name ?? '',
    host: session.peer.name,
    address: session.peer.address === '' ? undefined : session.peer.address,
    by: hostname,
    protocol: session.protocol,
    id,
    tls: session.tls?.cipher,
    priority: envelope.parameters.mtPriority,
    // RFC 5321 7.2: with several recipients the clause would tell each of the others.
    recipient: others.length === 0 ? first?.forwardPath : undefined,
    date: at,
    offset,
  });
  if (!completes) return [trace];
  return [removeReturnPath(), removeBcc(), addDate({ date: at, offset }), addMessageId(`<${id}@${idDomain(hostname)}>`), trace];
}

/** RFC 5322 3.6.4: what follows the at sign; an address literal is no atom, but has a form of its own. */
function idDomain(hostname: string): string {
  return hostname.replace(/^\[IPv6:(.*)\]$/i, '[$1]');
}
