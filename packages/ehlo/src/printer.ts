import type { Forwarded, Notice, Peer } from '@ehlo/engine';
import type { MailParameters, RcptParameters } from '@ehlo/grammar';
import type { Session } from '#adapter';
import { colours } from './colours.ts';
import { jsonLine } from './json-line.ts';

/** A message that is safe on disk. */
export interface StoredMessage {
  readonly id: string;
  readonly file: string;
  readonly reversePath: string;
  readonly forwardPaths: readonly string[];
  /** Parameters of MAIL. */
  readonly parameters: MailParameters;
  /** Parameters of RCPT, for each of the forward-paths. */
  readonly recipientParameters: readonly RcptParameters[];
  /** As in the WITH clause of a Received field. */
  readonly protocol: string;
  /** Whom it came from, as the connection, a proxy or XCLIENT tells it. */
  readonly peer: Peer;
  /** Whom the sender had it from (XFORWARD); null if it has not told. */
  readonly forwarded: Forwarded | null;
  /** Who has authenticated, or null. */
  readonly identity: string | null;
  /** Octets of content, as received. */
  readonly size: number;
  /** Names of the deviations from the standard that were kept. */
  readonly deviations: readonly string[];
}

/** Shows what a server does. */
export interface Printer {
  /** Whether the conversation itself is shown. */
  readonly conversation: boolean;
  /** `tls`: from the first octet. */
  listening(host: string, port: number, tls: boolean): void;
  connected(session: Session): void;
  /** A deviation from the grammar that was accepted in a command. */
  deviation(session: Session, name: string): void;
  message(session: Session, message: StoredMessage): void;
  notice(session: Session, notice: Notice): void;
}

type Write = (line: string) => void;

const { cyan, dim, green, magenta, yellow } = colours;

/** Writes `host:port`, an IPv6 address in brackets; the path of a Unix socket as it is. */
function hostPort(host: string, port: number): string {
  if (host.includes('/')) return host;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The conversation for people, a line each. */
export function textPrinter(write: Write): Printer {
  const line = (session: Session, text: string): void => write(`${dim(`[${session.id}]`)} ${text}`);
  return {
    conversation: true,
    listening: (host, port, tls) => write(`listening on ${hostPort(host, port)}${tls ? ' (TLS)' : ''}`),
    connected: (session) =>
      line(
        session,
        dim(`connected from ${session.peer.address === '' ? 'a Unix socket' : hostPort(session.peer.address, session.peer.port)}`),
      ),
    deviation: (session, name) => line(session, yellow(`note: ${name}`)),
    message: (session, message) => {
      for (const name of message.deviations) line(session, yellow(`note: ${name}`));
      line(session, green(`stored ${message.size} octets as ${message.file}`));
    },
    notice: (session, notice) => {
      if (notice.type === 'trace') {
        const client = notice.from === 'client';
        line(session, client ? `${cyan('C:')} ${notice.line}` : `${magenta('S:')} ${notice.line}`);
      } else if (notice.type === 'aborted') line(session, yellow(`message not received: ${notice.cause}`));
      else if (notice.type === 'closed')
        line(session, dim(`closed: ${notice.cause}${notice.limit === undefined ? '' : ` (${notice.limit})`}`));
    },
  };
}

/** One JSON object an event, a line each. */
export function jsonPrinter(write: Write): Printer {
  const event = (name: string, fields: object): void => write(jsonLine({ event: name, ...fields }));
  return {
    conversation: true,
    listening: (host, port, tls) => event('listening', { host, port, ...(tls ? { tls } : {}) }),
    connected: ({ id, peer }) => event('connected', { session: id, address: peer.address, port: peer.port }),
    deviation: ({ id }, name) => event('deviation', { session: id, name }),
    message: ({ id }, message) => event('message', { session: id, ...message }),
    notice: ({ id }, notice) => {
      const { type, ...fields } = notice;
      if (type !== 'chunk') event(type, { session: id, ...fields });
    },
  };
}

/** Only where the server listens. */
export function quietPrinter(write: Write): Printer {
  const nothing = (): void => {};
  const { listening } = textPrinter(write);
  return { conversation: false, listening, connected: nothing, deviation: nothing, message: nothing, notice: nothing };
}
