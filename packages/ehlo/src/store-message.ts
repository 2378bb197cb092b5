import { type Acceptance, accept, reject } from '@ehlo/driver';
import { formatPath } from '@ehlo/grammar';
import { ANY_HEADER, type Edit, MessageEditor, received, returnPath } from '@ehlo/message';
import { LoopWatch } from '@ehlo/message/loops';
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
  const edits = store.raw ? [] : trace(id, envelope, session, store.name);
  const file = await stored(store.maildir.store(id, edited(message.body, edits, store)));
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
function trace(id: string, envelope: IncomingMessage['envelope'], session: Session, by: string): readonly Edit[] {
  const [first, ...others] = envelope.recipients;
  const now = new Date();
  const facts = {
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
  };
  return [
    ...envelope.recipients.map(({ forwardPath }) => envelopeTo(formatPath(forwardPath))).reverse(),
    received(facts),
    returnPath(envelope.reversePath),
  ];
}

function envelopeTo(path: string): Edit {
  const name = 'envelope-to';
  return { name, apply: (draft) => draft.trace(name, `X-Envelope-To: ${path}\r\n`) };
}

/** The edited message. It is refused if it loops (RFC 5321 6.3), or if its header exceeds the limit. */
async function* edited(body: AsyncIterable<Uint8Array>, edits: readonly Edit[], store: Store): AsyncGenerator<Uint8Array, void, void> {
  const { hops } = store;
  const editor = new MessageEditor([watching(new LoopWatch({ hops, names: [store.name] }), hops), ...edits], { tolerate: ANY_HEADER });
  for await (const bytes of body) {
    editor.push(bytes);
    yield* octetsOf(editor);
  }
  editor.end();
  yield* octetsOf(editor);
}

/** An edit that changes nothing, and refuses a message in a loop. */
function watching(watch: LoopWatch, hops: number): Edit {
  return {
    name: 'loop',
    apply(draft) {
      for (const field of draft.fields) watch.add(field);
      if (watch.loop === null) return;
      const why = watch.loop === 'hops' ? `more than ${hops} Received fields` : `it has passed here ${watch.visits} times`;
      throw reject(554, '5.4.6', `Routing loop detected: ${why}`);
    },
  };
}

function* octetsOf(editor: MessageEditor): Generator<Uint8Array, void, void> {
  for (let event = editor.next(); event !== null; event = editor.next()) {
    if (event.type === 'octets') yield event.bytes;
    else if (event.type === 'refused') throw reject(554, '5.6.0', `The header can not be taken: ${event.message}`);
  }
}
