import { type Acceptance, accept, reject } from '@ehlo/driver';
import { formatPath } from '@ehlo/grammar';
import { formatReceived, formatReturnPath, ReceivedCounter } from '@ehlo/grammar/trace';
import type { IncomingMessage, Session } from '#adapter';
import type { Maildir } from './maildir.ts';
import type { Printer } from './printer.ts';
import { newQueueId } from './queue-id.ts';

/** Where messages go. */
export interface Store {
  readonly maildir: Maildir;
  readonly printer: Printer;
  readonly name: string;
  /** Without trace fields. */
  readonly raw: boolean;
  /** Received fields that a message may have at the most (RFC 5321 6.3). */
  readonly hops: number;
}

/** Stores a message; resolves when it is safe on disk. */
export async function storeMessage(message: IncomingMessage, session: Session, store: Store): Promise<Acceptance> {
  const id = newQueueId();
  const { envelope } = message;
  // Facts of the connection are read before the body: the client may be gone when it ends.
  const { protocol, peer, forwarded, identity } = session;
  const header = store.raw ? '' : traceFields(id, envelope, session, store.name);
  const file = await stored(store.maildir.store(id, header, withoutLoops(message.body, store.hops)));
  store.printer.message(session, {
    id,
    file,
    reversePath: formatPath(envelope.reversePath),
    forwardPaths: envelope.recipients.map(({ forwardPath }) => formatPath(forwardPath)),
    parameters: envelope.parameters,
    recipientParameters: envelope.recipients.map(({ parameters }) => parameters),
    protocol,
    peer,
    forwarded,
    identity,
    size: message.size,
    deviations: message.deviations.map(({ name, line }) => `${name} in line ${line} of the message`),
  });
  return accept({ text: `Message accepted, queued as ${id}` });
}

/** RFC 5321 4.2.2: 452 where there is no room; any other failure is told by 451. */
async function stored(storing: Promise<string>): Promise<string> {
  try {
    return await storing;
  } catch (error) {
    if (NO_ROOM.has((error as NodeJS.ErrnoException).code)) throw reject(452, '4.3.1', 'Insufficient system storage');
    throw error;
  }
}

const NO_ROOM: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** RFC 5321 4.4: what final delivery puts on top of a message; and, ours, one field for each recipient of the envelope. */
function traceFields(id: string, envelope: IncomingMessage['envelope'], session: Session, by: string): string {
  const [first, ...others] = envelope.recipients;
  const now = new Date();
  const received = formatReceived({
    helo: session.hello?.name ?? '',
    host: session.peer.name,
    address: session.peer.address === '' ? undefined : session.peer.address,
    by,
    protocol: session.protocol,
    id,
    tls: session.tls?.cipher,
    priority: envelope.parameters.mtPriority,
    // RFC 5321 7.2: with several recipients the clause would tell each of the others.
    recipient: others.length === 0 ? first?.forwardPath : undefined,
    date: now.getTime(),
    offset: -now.getTimezoneOffset(),
  });
  const recipients = envelope.recipients.map(({ forwardPath }) => `X-Envelope-To: ${formatPath(forwardPath)}\r\n`);
  return formatReturnPath(envelope.reversePath) + received + recipients.join('');
}

/** RFC 5321 6.3: a message that has passed too many servers goes round in circles. */
async function* withoutLoops(body: AsyncIterable<Uint8Array>, hops: number): AsyncGenerator<Uint8Array, void, void> {
  const counter = new ReceivedCounter();
  for await (const bytes of body) {
    counter.push(bytes);
    if (counter.count > hops) throw reject(554, '5.4.6', `Routing loop detected: more than ${hops} Received fields`);
    yield bytes;
  }
}
