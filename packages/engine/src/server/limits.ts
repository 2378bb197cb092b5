import { SmtpUsageError } from '../error.ts';
import { numbers, type TableOf } from '../option-table.ts';

/** Numbers in place of the limits that there are: each is finite, and none may be set below the standard's least. */
export interface LimitOptions {
  /** A command line with its CRLF. Octets, at least 1248; default: 4096; RFC 5321 4.5.3.1.4: 512, and what the extensions add. */
  readonly commandLine?: number;
  /** A line of an AUTH exchange with its CRLF. Octets, at least 12290; default: 12290; RFC 4954 4: 12288, and CRLF. */
  readonly authLine?: number;
  /** A message without its stuffed dots; SIZE announces it. Octets, at least 65536; default: 36700160; RFC 5321 4.5.3.1.7: at least 64K. */
  readonly messageSize?: number;
  /** Accepted recipients of a message. Recipients, at least 100; default: 1000; RFC 5321 4.5.3.1.8: at least 100. */
  readonly recipients?: number;
  /**
   * MAIL commands of a session; beyond them it closes with 421. Transactions, at least 1; default: 10000; ours; RFC 9422 4.1 announces it.
   */
  readonly transactions?: number;
  /** Different domains of the recipients of a session. Domains, at least 1; default: 10000; ours; RFC 9422 4.3 announces it. */
  readonly recipientDomains?: number;
  /**
   * Recipients that were refused, by the engine or the program, since a message was accepted; at the next one the session closes with 421.
   * Recipients, at least 1; default: 1000; ours; RFC 5321 7.8: many invalid recipients are an attack.
   */
  readonly refusedRecipients?: number;
  /**
   * Commands since a message was accepted, but RCPT, BDAT and QUIT; beyond them the session closes with 421. Commands, at least 10;
   * default: 1000; ours; RFC 5321 7.8: who makes a server inaccessible to others may be shut out.
   */
  readonly idleCommands?: number;
  /** The least that DELIVERBY announces and takes. Seconds, at least 1; default: 60; ours; RFC 2852 3. */
  readonly deliverBy?: number;
  /**
   * Chunks of fewer than 64 octets, but the last of a message, in a session; beyond them it closes with 421. Chunks, at least 1; default:
   * 100; ours.
   */
  readonly smallChunks?: number;
  /** Commands that the engine refused, before it closes with 421. Faults, at least 1; default: 20; ours. */
  readonly faults?: number;
  /** How long the reply to a fault is held back, to slow down clients that guess (a tarpit). Milliseconds, at least 0; default: 0; ours. */
  readonly faultDelay?: number;
  /** Replies that wait to be taken; beyond it no command is read. Octets, at least 512; default: 65536; ours. */
  readonly output?: number;
  /**
   * Octets that are read and discarded: of a refused message those beyond `messageSize`, of a refused chunk all; beyond it the session
   * closes. Octets, at least 0; default: 67108864; ours.
   */
  readonly drain?: number;
  /** What must arrive within `dataTimeout` while a message is read. Octets, at least 1; default: 4096; ours. */
  readonly dataBlock?: number;
  /** How long the greeting is held back to catch early talkers. Milliseconds, at least 0; default: 0; ours. */
  readonly greetingDelay?: number;
  /** Waiting for a whole command. Milliseconds, at least 300000; default: 300000; RFC 5321 4.5.3.2.7. */
  readonly commandTimeout?: number;
  /**
   * Waiting for a block of a message. Milliseconds, at least 180000; default: 300000; RFC 5321 4.5.3.2.5: the client allows 3 minutes a
   * block.
   */
  readonly dataTimeout?: number;
  /** Waiting for a line of an AUTH exchange. Milliseconds, at least 1000; default: 300000; ours. */
  readonly authTimeout?: number;
  /** Waiting for a TLS handshake to end. Milliseconds, at least 1000; default: 60000; ours. */
  readonly tlsTimeout?: number;
  /** Waiting for the peer to read its replies. Milliseconds, at least 1000; default: 300000; ours. */
  readonly flushTimeout?: number;
  /** An answer to `connect`. Milliseconds, at least 1; default: 240000; ours; RFC 5321 4.5.3.2.1: the client waits 5 minutes. */
  readonly connectAnswer?: number;
  /**
   * An answer to `hello`, `mail`, `rcpt`, `info`, `auth`, `starttls`. Milliseconds, at least 1; default: 240000; ours; RFC 5321 4.5.3.2.2,
   * .3: the client waits 5 minutes.
   */
  readonly commandAnswer?: number;
  /** An answer to `data`. Milliseconds, at least 1; default: 90000; ours; RFC 5321 4.5.3.2.4: the client waits 2 minutes. */
  readonly dataAnswer?: number;
  /**
   * An answer to `message`, and for content to be taken. Milliseconds, at least 1; default: 540000; ours; RFC 5321 4.5.3.2.6: the client
   * waits 10 minutes.
   */
  readonly messageAnswer?: number;
}

/** All of them. */
export type Limits = Required<LimitOptions>;

export type LimitName = keyof Limits;

export interface Limit {
  readonly value: number;
  /** The least that the standard allows. */
  readonly least: number;
  readonly unit: 'octets' | 'milliseconds' | 'seconds' | 'recipients' | 'transactions' | 'domains' | 'chunks' | 'faults' | 'commands';
  /** Where the number comes from; "ours" where no standard gives one. */
  readonly source: string;
}

/** Every limit of a server session, with its default. All are finite; none may be set below the standard's least. */
export const LIMITS: { readonly [name in LimitName]: Limit } = {
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

/** The limits, as options are checked. */
export const LIMIT_TABLE: TableOf<Limits> = /* @__PURE__ */ numbers(Object.keys(LIMITS) as LimitName[]);

/** The defaults with the given limits in their place; those of `small` may be below the standard's least. Throws `SmtpUsageError` `bad-limit`. */
export function resolveLimits(given: LimitOptions = {}, small: LimitOptions = {}): Limits {
  const limits = {} as { [name in LimitName]: number };
  for (const name of Object.keys(LIMITS) as LimitName[]) {
    const { value, least, unit, source } = LIMITS[name];
    const limit = small[name] ?? given[name] ?? value;
    const [place, lowest, why] = small[name] === undefined ? ['limits', least, source] : ['smallLimits', Math.min(least, 1), 'ours'];
    if (!Number.isSafeInteger(limit) || limit < lowest) {
      const must = `it must be a whole number of ${unit}, at least ${lowest} (${why})`;
      throw new SmtpUsageError('bad-limit', `${place}.${name} is ${limit}; ${must}`);
    }
    limits[name] = limit;
  }
  return limits;
}
