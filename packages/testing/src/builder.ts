import { SmtpUsageError } from '@ehlo/engine';
import type { Action, After, Duration, Key, Match, Pattern, Stage, Stub, StubReply } from './stub.ts';
import { STAGES } from './stub.ts';
import type { StubHandle } from './stub-set.ts';

/** What a stub is for: what counts most at its stage (the recipient, the sender, the user …), or all that it has to fit. */
export type Subject = Pattern | Match<Pattern>;

/** What text alone stands for at each stage. */
const SUBJECT: { readonly [stage in Stage]: keyof Match } = {
  connect: 'peer',
  hello: 'hello',
  tls: 'hello',
  auth: 'identity',
  mail: 'from',
  rcpt: 'to',
  data: 'to',
  chunk: 'to',
  message: 'to',
  quit: 'hello',
};

/** What a stub is to do: the first that is called registers it. */
export interface StubBuilder {
  /** A reply: `reply(452, '4.2.2', 'Mailbox full')`; without text, one without text; a list is one of many lines. */
  reply(code: number, enhanced?: string, text?: string | readonly string[]): StubHandle;
  /** Octets in place of a reply, as they are. */
  raw(octets: string): StubHandle;
  /** The usual answer, later. */
  delay(by: Duration): StubHandle;
  /** Nothing more is said, and the connection stays. */
  stall(cut?: After): StubHandle;
  /** The connection is closed without a word, or after so many octets. */
  drop(cut?: After): StubHandle;
  /** The connection is reset, at once or after so many octets. */
  reset(cut?: After): StubHandle;
  /** The server ends its side, at once or after so many octets. */
  halfClose(cut?: After): StubHandle;
  /** The usual answer, whatever older stubs say. */
  pass(): StubHandle;
  /** At `tls`: STARTTLS is refused, the handshake is broken, or shows a certificate that is wrong. */
  tls(how: NonNullable<Action['tls']>): StubHandle;
  /** More than so many within a time are refused: of all together, or of each that `by` counts as the same. */
  throttle(most: number, within: Duration, options?: { readonly by?: readonly Key[]; readonly reply?: StubReply }): StubHandle;
  /** Refused until so much time is over since the first try of the same. */
  greylist(wait: Duration, options?: { readonly by?: readonly Key[]; readonly reply?: StubReply }): StubHandle;
  /** At `connect`: extensions that are not offered, and lines that EHLO has too. */
  capabilities(change: NonNullable<Action['capabilities']>): StubHandle;
  /** At `connect`: limits of the session, small ones too. */
  limits(limits: NonNullable<Action['limits']>): StubHandle;
  /** All that a stub can do, as data: `do({ delay: '2 s', reply: { code: 450, split: { every: 1 } } })`. */
  do(action: Action): StubHandle;
}

/** `mx.on`: a stage, and what has to fit there. */
export type On = { readonly [stage in Stage]: (subject?: Subject) => StubBuilder };

/** Builders that have registered nothing yet: who forgets what a stub is to do is told. */
export class Builders {
  readonly on: On;
  readonly #open: Map<object, string> = new Map();
  readonly #add: (stub: Stub<Pattern>) => StubHandle;

  constructor(add: (stub: Stub<Pattern>) => StubHandle) {
    this.#add = add;
    this.on = Object.fromEntries(STAGES.map((stage) => [stage, (subject?: Subject) => this.#builder(stage, subject)])) as unknown as On;
  }

  /** Throws `SmtpUsageError` `bad-option` if a stub was begun and does nothing. */
  check(): void {
    for (const what of this.#open.values())
      throw new SmtpUsageError('bad-option', `${what} does nothing: say what it is to do, such as .reply(450, '4.2.1', 'Try later')`);
  }

  #builder(on: Stage, subject: Subject | undefined): StubBuilder {
    const isMatch = typeof subject === 'object' && !(subject instanceof RegExp);
    const match = subject === undefined ? {} : isMatch ? subject : { [SUBJECT[on]]: subject };
    const act = (action: Action): StubHandle => {
      // Of one that is wrong it is told what is.
      this.#open.delete(builder);
      return this.#add({ on, match, do: action });
    };
    const builder: StubBuilder = {
      reply: (code, enhanced, text) =>
        act({ reply: { code, ...(enhanced === undefined ? {} : { enhanced }), ...(text === undefined ? {} : { text }) } }),
      raw: (octets) => act({ reply: { raw: octets } }),
      delay: (by) => act({ delay: by }),
      stall: (cut) => act({ stall: cut ?? true }),
      drop: (cut) => act({ drop: cut ?? true }),
      reset: (cut) => act({ reset: cut ?? true }),
      halfClose: (cut) => act({ halfClose: cut ?? true }),
      pass: () => act({ pass: true }),
      tls: (how) => act({ tls: how }),
      throttle: (most, within, options = {}) => act({ throttle: { most, within, ...options } }),
      greylist: (wait, options = {}) => act({ greylist: { for: wait, ...options } }),
      capabilities: (change) => act({ capabilities: change }),
      limits: (limits) => act({ limits }),
      do: act,
    };
    this.#open.set(builder, `mx.on.${on}(${typeof subject === 'string' ? JSON.stringify(subject) : subject === undefined ? '' : '…'})`);
    return builder;
  }
}
