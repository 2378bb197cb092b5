import { SmtpUsageError } from '../error.ts';
import { numbers, type TableOf } from '../option-table.ts';

/** The defaults; `CLIENT_LIMITS` says where each comes from. */
const DEFAULTS: ClientLimits = {
  greetingTimeout: 300_000,
  helloTimeout: 300_000,
  mailTimeout: 300_000,
  rcptTimeout: 300_000,
  dataTimeout: 120_000,
  blockTimeout: 180_000,
  messageTimeout: 600_000,
  commandTimeout: 300_000,
  authTimeout: 300_000,
  tlsTimeout: 60_000,
  quitTimeout: 5000,
  block: 65_536,
  rate: 500,
  flight: 16_384,
  replyLine: 12_294,
  replyLines: 1000,
  replyOctets: 131_072,
  challenges: 32,
};

/** Numbers in place of the limits that there are. Each may be set lower, at the price of giving up on slow servers. */
export interface ClientLimitOptions {
  /** Waiting for the greeting. Milliseconds; default: 300000; RFC 5321 4.5.3.2.1. */
  readonly greetingTimeout?: number;
  /** Waiting for the answer to EHLO, HELO or LHLO. Milliseconds; default: 300000; ours; as MAIL. */
  readonly helloTimeout?: number;
  /** Waiting for the answer to MAIL, or to RSET before it. Milliseconds; default: 300000; RFC 5321 4.5.3.2.2. */
  readonly mailTimeout?: number;
  /** Waiting for the answer to RCPT. Milliseconds; default: 300000; RFC 5321 4.5.3.2.3. */
  readonly rcptTimeout?: number;
  /** Waiting for the answer to DATA. Milliseconds; default: 120000; RFC 5321 4.5.3.2.4. */
  readonly dataTimeout?: number;
  /** Waiting for a block of the message to leave, or for the answer to BDAT. Milliseconds; default: 180000; RFC 5321 4.5.3.2.5. */
  readonly blockTimeout?: number;
  /** Waiting for the answer to the end of the message. Milliseconds; default: 600000; RFC 5321 4.5.3.2.6. */
  readonly messageTimeout?: number;
  /**
   * Waiting for the answer to STARTTLS, NOOP, VRFY, EXPN or HELP, or for the end of a line that is no answer. Milliseconds; default:
   * 300000; ours; as MAIL.
   */
  readonly commandTimeout?: number;
  /** Waiting for an answer in an AUTH exchange. Milliseconds; default: 300000; ours; as MAIL. */
  readonly authTimeout?: number;
  /** Waiting for the TLS handshake to end. Milliseconds; default: 60000; ours. */
  readonly tlsTimeout?: number;
  /** Waiting for the answer to QUIT, which changes nothing any more. Milliseconds; default: 5000; ours. */
  readonly quitTimeout?: number;
  /** What must leave within `blockTimeout` while a message is sent. Octets; default: 65536; ours. */
  readonly block?: number;
  /**
   * The lowest mean speed at which the server must read a message, after an initial `blockTimeout`; 0 for none. Octets a second; default:
   * 500; ours.
   */
  readonly rate?: number;
  /** Commands that wait for their replies, with pipelining. Octets; default: 16384; ours. */
  readonly flight?: number;
  /** A line of a reply, its code and CRLF included. Octets; default: 12294; RFC 4954 4: a challenge of 12288. */
  readonly replyLine?: number;
  /** Lines of one reply. Lines; default: 1000; ours. */
  readonly replyLines?: number;
  /** All lines of one reply. Octets; default: 131072; ours. */
  readonly replyOctets?: number;
  /** Challenges in one AUTH exchange. Challenges; default: 32; ours. */
  readonly challenges?: number;
}

/** All of them. */
export type ClientLimits = Required<ClientLimitOptions>;

export type ClientLimitName = keyof ClientLimits;

/** The limits, as options are checked. */
export const CLIENT_LIMIT_TABLE: TableOf<ClientLimits> = /* @__PURE__ */ numbers(Object.keys(DEFAULTS) as ClientLimitName[]);

export interface ClientLimit {
  readonly value: number;
  readonly unit: 'milliseconds' | 'octets' | 'octets a second' | 'lines' | 'challenges';
  /** Where the number comes from; "ours" where no standard gives one. */
  readonly source: string;
}

/** Every limit of a client session, with its default: all are finite. Each may be set lower, at the price of giving up on slow servers. */
export const CLIENT_LIMITS: { readonly [name in ClientLimitName]: ClientLimit } = /* @__PURE__ */ described();

// Called where it is marked as pure, so that a bundle that does not ask holds none of it.
function described(): { readonly [name in ClientLimitName]: ClientLimit } {
  const limit = (name: ClientLimitName, unit: ClientLimit['unit'], source: string): ClientLimit => ({
    value: DEFAULTS[name],
    unit,
    source,
  });
  const time = (name: ClientLimitName, source: string): ClientLimit => limit(name, 'milliseconds', source);
  return {
    greetingTimeout: time('greetingTimeout', 'RFC 5321 4.5.3.2.1'),
    helloTimeout: time('helloTimeout', 'ours; as MAIL'),
    mailTimeout: time('mailTimeout', 'RFC 5321 4.5.3.2.2'),
    rcptTimeout: time('rcptTimeout', 'RFC 5321 4.5.3.2.3'),
    dataTimeout: time('dataTimeout', 'RFC 5321 4.5.3.2.4'),
    blockTimeout: time('blockTimeout', 'RFC 5321 4.5.3.2.5'),
    messageTimeout: time('messageTimeout', 'RFC 5321 4.5.3.2.6'),
    commandTimeout: time('commandTimeout', 'ours; as MAIL'),
    authTimeout: time('authTimeout', 'ours; as MAIL'),
    tlsTimeout: time('tlsTimeout', 'ours'),
    quitTimeout: time('quitTimeout', 'ours'),
    block: limit('block', 'octets', 'ours'),
    rate: limit('rate', 'octets a second', 'ours'),
    flight: limit('flight', 'octets', 'ours'),
    replyLine: limit('replyLine', 'octets', 'RFC 4954 4: a challenge of 12288'),
    replyLines: limit('replyLines', 'lines', 'ours'),
    replyOctets: limit('replyOctets', 'octets', 'ours'),
    challenges: limit('challenges', 'challenges', 'ours'),
  };
}

/** The defaults with the given limits in their place. Throws `SmtpUsageError` `bad-limit`. */
export function resolveClientLimits(given: ClientLimitOptions = {}): ClientLimits {
  const limits: ClientLimits = { ...DEFAULTS, ...given };
  for (const [name, limit] of Object.entries(limits)) {
    const least = name === 'rate' ? 0 : 1;
    if (!Number.isSafeInteger(limit) || limit < least) {
      throw new SmtpUsageError('bad-limit', `limits.${name} is ${limit}; it must be a whole number, at least ${least}`);
    }
  }
  return limits;
}
