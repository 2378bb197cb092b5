import { SmtpUsageError } from '../error.ts';
import { numbers, type OptionTable } from '../option-table.ts';

export type LimitName =
  | 'commandLine'
  | 'authLine'
  | 'messageSize'
  | 'recipients'
  | 'transactions'
  | 'recipientDomains'
  | 'refusedRecipients'
  | 'idleCommands'
  | 'deliverBy'
  | 'smallChunks'
  | 'faults'
  | 'faultDelay'
  | 'output'
  | 'drain'
  | 'dataBlock'
  | 'greetingDelay'
  | 'commandTimeout'
  | 'dataTimeout'
  | 'authTimeout'
  | 'tlsTimeout'
  | 'flushTimeout'
  | 'connectAnswer'
  | 'commandAnswer'
  | 'dataAnswer'
  | 'messageAnswer';

export interface Limit {
  readonly value: number;
  /** The least that the standard allows. */
  readonly least: number;
  readonly unit: 'octets' | 'milliseconds' | 'seconds' | 'recipients' | 'transactions' | 'domains' | 'chunks' | 'faults' | 'commands';
  /** Where the number comes from; "ours" where no standard gives one. */
  readonly source: string;
  readonly what: string;
}

/** The limits without their words, which a session does not need. */
const RULES: { readonly [name in LimitName]: Omit<Limit, 'what'> } = {
  commandLine: {
    value: 4096,
    least: 1248,
    unit: 'octets',
    source: 'RFC 5321 4.5.3.1.4: 512, and what the extensions add',
  },
  authLine: {
    value: 12_290,
    least: 12_290,
    unit: 'octets',
    source: 'RFC 4954 4: 12288, and CRLF',
  },
  messageSize: {
    value: 36_700_160,
    least: 65_536,
    unit: 'octets',
    source: 'RFC 5321 4.5.3.1.7: at least 64K',
  },
  recipients: {
    value: 1000,
    least: 100,
    unit: 'recipients',
    source: 'RFC 5321 4.5.3.1.8: at least 100',
  },
  transactions: {
    value: 10_000,
    least: 1,
    unit: 'transactions',
    source: 'ours; RFC 9422 4.1 announces it',
  },
  recipientDomains: {
    value: 10_000,
    least: 1,
    unit: 'domains',
    source: 'ours; RFC 9422 4.3 announces it',
  },
  refusedRecipients: {
    value: 1000,
    least: 1,
    unit: 'recipients',
    source: 'ours; RFC 5321 7.8: many invalid recipients are an attack',
  },
  idleCommands: {
    value: 1000,
    least: 10,
    unit: 'commands',
    source: 'ours; RFC 5321 7.8: who makes a server inaccessible to others may be shut out',
  },
  deliverBy: { value: 60, least: 1, unit: 'seconds', source: 'ours; RFC 2852 3' },
  smallChunks: {
    value: 100,
    least: 1,
    unit: 'chunks',
    source: 'ours',
  },
  faults: { value: 20, least: 1, unit: 'faults', source: 'ours' },
  faultDelay: {
    value: 0,
    least: 0,
    unit: 'milliseconds',
    source: 'ours',
  },
  output: {
    value: 65_536,
    least: 512,
    unit: 'octets',
    source: 'ours',
  },
  drain: {
    value: 67_108_864,
    least: 0,
    unit: 'octets',
    source: 'ours',
  },
  dataBlock: {
    value: 4096,
    least: 1,
    unit: 'octets',
    source: 'ours',
  },
  greetingDelay: {
    value: 0,
    least: 0,
    unit: 'milliseconds',
    source: 'ours',
  },
  commandTimeout: {
    value: 300_000,
    least: 300_000,
    unit: 'milliseconds',
    source: 'RFC 5321 4.5.3.2.7',
  },
  dataTimeout: {
    value: 300_000,
    least: 180_000,
    unit: 'milliseconds',
    source: 'RFC 5321 4.5.3.2.5: the client allows 3 minutes a block',
  },
  authTimeout: { value: 300_000, least: 1000, unit: 'milliseconds', source: 'ours' },
  tlsTimeout: { value: 60_000, least: 1000, unit: 'milliseconds', source: 'ours' },
  flushTimeout: { value: 300_000, least: 1000, unit: 'milliseconds', source: 'ours' },
  connectAnswer: {
    value: 240_000,
    least: 1,
    unit: 'milliseconds',
    source: 'ours; RFC 5321 4.5.3.2.1: the client waits 5 minutes',
  },
  commandAnswer: {
    value: 240_000,
    least: 1,
    unit: 'milliseconds',
    source: 'ours; RFC 5321 4.5.3.2.2, .3: the client waits 5 minutes',
  },
  dataAnswer: {
    value: 90_000,
    least: 1,
    unit: 'milliseconds',
    source: 'ours; RFC 5321 4.5.3.2.4: the client waits 2 minutes',
  },
  messageAnswer: {
    value: 540_000,
    least: 1,
    unit: 'milliseconds',
    source: 'ours; RFC 5321 4.5.3.2.6: the client waits 10 minutes',
  },
};

/** What each limits. */
const WORDS: { readonly [name in LimitName]: string } = {
  commandLine: 'a command line with its CRLF',
  authLine: 'a line of an AUTH exchange with its CRLF',
  messageSize: 'a message without its stuffed dots; SIZE announces it',
  recipients: 'accepted recipients of a message',
  transactions: 'MAIL commands of a session; beyond them it closes with 421',
  recipientDomains: 'different domains of the recipients of a session',
  refusedRecipients:
    'recipients that were refused, whoever refused them, since a message was accepted; at the next one the session closes with 421',
  idleCommands: 'commands since a message was accepted, but RCPT, BDAT and QUIT; beyond them the session closes with 421',
  deliverBy: 'the least that DELIVERBY announces and takes',
  smallChunks: 'chunks of fewer than 64 octets, but the last of a message, in a session; beyond them it closes with 421',
  faults: 'commands that the engine refused, before it closes with 421',
  faultDelay: 'how long the reply to a fault is held back, to slow down who guesses (a tarpit)',
  output: 'replies that wait to be taken; beyond it no command is read',
  drain: 'what is read in vain: of a refused message beyond `messageSize`, of a refused chunk in all; beyond it the session closes',
  dataBlock: 'what must arrive within `dataTimeout` while a message is read',
  greetingDelay: 'how long the greeting is held back to catch early talkers',
  commandTimeout: 'waiting for a whole command',
  dataTimeout: 'waiting for a block of a message',
  authTimeout: 'waiting for a line of an AUTH exchange',
  tlsTimeout: 'waiting for a TLS handshake to end',
  flushTimeout: 'waiting for the peer to read its replies',
  connectAnswer: 'an answer to `connect`',
  commandAnswer: 'an answer to `hello`, `mail`, `rcpt`, `info`, `auth`, `starttls`',
  dataAnswer: 'an answer to `data`',
  messageAnswer: 'an answer to `message`, and for content to be taken',
};

/** Every limit of a server session, with its default. All are finite; none may be set below the standard's least. */
export const LIMITS: { readonly [name in LimitName]: Limit } = /* @__PURE__ */ described();

// Called where it is marked as pure, so that a bundle that needs no words holds none.
function described(): { readonly [name in LimitName]: Limit } {
  const all = (Object.keys(RULES) as LimitName[]).map((name) => [name, { ...RULES[name], what: WORDS[name] }]);
  return Object.fromEntries(all) as { readonly [name in LimitName]: Limit };
}

/** The limits, as options are checked. */
export const LIMIT_TABLE: OptionTable = /* @__PURE__ */ numbers(Object.keys(RULES));

export type Limits = { readonly [name in LimitName]: number };

/** The defaults with the given limits in their place; those of `small` may be below the standard's least. Throws `SmtpUsageError` `bad-limit`. */
export function resolveLimits(given: Partial<Limits> = {}, small: Partial<Limits> = {}): Limits {
  const limits = {} as { [name in LimitName]: number };
  for (const name of Object.keys(RULES) as LimitName[]) {
    const { value, least, unit, source } = RULES[name];
    const isSmall = small[name] !== undefined;
    const limit = small[name] ?? given[name] ?? value;
    const lowest = isSmall ? Math.min(least, 1) : least;
    if (!Number.isSafeInteger(limit) || limit < lowest) {
      const why = isSmall ? 'of smallLimits' : source;
      throw new SmtpUsageError('bad-limit', `${name} is ${limit}; it must be a whole number of ${unit}, at least ${lowest} (${why})`);
    }
    limits[name] = limit;
  }
  return limits;
}
