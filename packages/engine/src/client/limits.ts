import { SmtpUsageError } from '../error.ts';
import { numbers, type OptionTable } from '../option-table.ts';

/** The defaults; `CLIENT_LIMITS` says where each comes from. */
const DEFAULTS = {
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

export type ClientLimitName = keyof typeof DEFAULTS;

export type ClientLimits = { readonly [name in ClientLimitName]: number };

/** The limits, as options are checked. */
export const CLIENT_LIMIT_TABLE: OptionTable = /* @__PURE__ */ numbers(Object.keys(DEFAULTS));

export interface ClientLimit {
  readonly value: number;
  readonly unit: 'milliseconds' | 'octets' | 'octets a second' | 'lines' | 'challenges';
  /** Where the number comes from; "ours" where no standard gives one. */
  readonly source: string;
  readonly what: string;
}

/** Every limit of a client session, with its default: all are finite. Each may be set lower, at the price of giving up on slow servers. */
export const CLIENT_LIMITS: { readonly [name in ClientLimitName]: ClientLimit } = /* @__PURE__ */ described();

function described(): { readonly [name in ClientLimitName]: ClientLimit } {
  const milliseconds = (name: ClientLimitName, source: string, what: string): ClientLimit => ({
    value: DEFAULTS[name],
    unit: 'milliseconds',
    source,
    what,
  });
  return {
    greetingTimeout: milliseconds('greetingTimeout', 'RFC 5321 4.5.3.2.1', 'waiting for the greeting'),
    helloTimeout: milliseconds('helloTimeout', 'ours; as MAIL', 'waiting for the answer to EHLO, HELO or LHLO'),
    mailTimeout: milliseconds('mailTimeout', 'RFC 5321 4.5.3.2.2', 'waiting for the answer to MAIL, or to RSET before it'),
    rcptTimeout: milliseconds('rcptTimeout', 'RFC 5321 4.5.3.2.3', 'waiting for the answer to RCPT'),
    dataTimeout: milliseconds('dataTimeout', 'RFC 5321 4.5.3.2.4', 'waiting for the answer to DATA'),
    blockTimeout: milliseconds(
      'blockTimeout',
      'RFC 5321 4.5.3.2.5',
      'waiting for a block of the message to leave, or for the answer to BDAT',
    ),
    messageTimeout: milliseconds('messageTimeout', 'RFC 5321 4.5.3.2.6', 'waiting for the answer to the end of the message'),
    commandTimeout: milliseconds(
      'commandTimeout',
      'ours; as MAIL',
      'waiting for the answer to STARTTLS, NOOP, VRFY, EXPN or HELP, or for the end of a line that nobody has asked for',
    ),
    authTimeout: milliseconds('authTimeout', 'ours; as MAIL', 'waiting for an answer in an AUTH exchange'),
    tlsTimeout: milliseconds('tlsTimeout', 'ours', 'waiting for the TLS handshake to end'),
    quitTimeout: milliseconds('quitTimeout', 'ours', 'waiting for the answer to QUIT, which changes nothing any more'),
    block: { value: DEFAULTS.block, unit: 'octets', source: 'ours', what: 'what must leave within `blockTimeout` while a message is sent' },
    rate: {
      value: DEFAULTS.rate,
      unit: 'octets a second',
      source: 'ours',
      what: 'the least mean speed at which the server takes a message, `blockTimeout` allowed beside it; 0 for none',
    },
    flight: { value: DEFAULTS.flight, unit: 'octets', source: 'ours', what: 'commands that wait for their replies, with pipelining' },
    replyLine: {
      value: DEFAULTS.replyLine,
      unit: 'octets',
      source: 'RFC 4954 4: a challenge of 12288',
      what: 'a line of a reply, its code and CRLF included',
    },
    replyLines: { value: DEFAULTS.replyLines, unit: 'lines', source: 'ours', what: 'lines of one reply' },
    replyOctets: { value: DEFAULTS.replyOctets, unit: 'octets', source: 'ours', what: 'all lines of one reply' },
    challenges: { value: DEFAULTS.challenges, unit: 'challenges', source: 'ours', what: 'challenges in one AUTH exchange' },
  };
}

/** The defaults with the given limits in their place. Throws `SmtpUsageError` `bad-limit`. */
export function resolveClientLimits(given: Partial<ClientLimits> = {}): ClientLimits {
  const limits: ClientLimits = { ...DEFAULTS, ...given };
  for (const [name, limit] of Object.entries(limits)) {
    if (!Number.isSafeInteger(limit) || limit < (name === 'rate' ? 0 : 1)) {
      throw new SmtpUsageError('bad-limit', `${name} must be a whole number above zero`);
    }
  }
  return limits;
}
