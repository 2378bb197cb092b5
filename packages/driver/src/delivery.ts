import {
  type Address,
  addressText,
  type Capabilities,
  type ClientEnvelope,
  type ClientEvent,
  type ClientRecipient,
  checkOptions,
  type Extension,
  type MessageFacts,
  type Outcome,
  type TableOf,
} from '@ehlo/engine';
import { FACTS, type Message, MessageSource } from './message-source.ts';
import { notify } from './notify.ts';
import { OTHER_NAMES } from './other-names.ts';
import { type RetryAdvice, retryOf } from './retry.ts';
import type { TypedMailParameters, TypedRecipient } from './typed.ts';

/**
 * Whom a message comes from and goes to. An address is text without angle brackets, a mailbox of the grammar, or `{ localPart, domain }`. One
 * that can't be written is an outcome: refused at stage `plan` with 5.1.3 for its recipient, with 5.1.7 for all where it is the sender's.
 */
export interface SendEnvelope<X extends Extension = never> {
  /** The address for failure notices; empty text or `NULL_PATH` for none, `<>`. RFC 5321 4.1.1.2. */
  readonly reversePath: Address;
  /** Parameters of MAIL. SIZE, BODY and SMTPUTF8 are found by the plan; what is given here wins. */
  readonly parameters?: TypedMailParameters<X>;
  /** The recipients, at least one: addresses, or addresses with parameters of RCPT. Outcomes name them by their place in this list. */
  readonly recipients: readonly (Address | TypedRecipient<X>)[];
}

export interface SendOptions {
  /** What is known of the message: believed, and then a stream is not read ahead. */
  readonly facts?: MessageFacts;
  /** Gives it up, at any moment, without ever ending the message on the wire. */
  readonly signal?: AbortSignal;
  /** Called with the octets of the message that have been taken for the wire. Where it fails, a warning says so, once. */
  readonly progress?: (octets: number) => void;
  /**
   * Is told what happens to this message: which recipients are accepted, that the message is wanted, what becomes of each. `index` is the
   * place in the envelope that was given, also where that goes in several transactions. Where it fails, a warning says so, once.
   */
  readonly notice?: (notice: SendNotice) => void;
}

/** The callbacks that report on one message. */
export type SendNotice = Extract<ClientEvent, { readonly transaction: number }>;

/** What became of one recipient, and when it may be tried again. */
export type RecipientOutcome = Outcome &
  RetryAdvice & {
    /** The address. */
    readonly recipient: string;
  };

export interface SendResult {
  /** One for each recipient, in the order of the envelope. */
  readonly outcomes: readonly RecipientOutcome[];
  /** What went wrong beside the server's refusals: with the message's source, or with the session; null if nothing did. */
  readonly error: unknown;
}

/** A message on its way, in one transaction or in several that follow each other (RFC 9422). */
export class Delivery {
  readonly result: Promise<SendResult>;
  error: unknown = null;
  source: MessageSource;
  #taken = 0;
  readonly #options: SendOptions;
  readonly #warn: (error: unknown, what: string) => void;
  readonly #envelope: ClientEnvelope;
  readonly #outcomes: (Outcome | null)[];
  /** Places in the envelope of those that the transaction is for. */
  #places: number[];
  #settle: { readonly resolve: (result: SendResult) => void; readonly reject: (error: unknown) => void } | null = null;
  #opening = false;
  #abandoned = false;

  /** `warn` is told of a `progress` that fails. Throws `SmtpUsageError` for what is wrong by its type. */
  constructor(envelope: SendEnvelope, message: Message, options: SendOptions, warn: (error: unknown, what: string) => void = () => {}) {
    this.source = new MessageSource(message);
    try {
      this.#envelope = transactionOf(envelope);
      this.#options = checkOptions(SEND_OPTIONS, options, OTHER_NAMES);
    } catch (error) {
      this.source.stop();
      throw error;
    }
    const { recipients } = this.#envelope;
    this.#warn = warn;
    this.#outcomes = recipients.map(() => null);
    this.#places = recipients.map((_, place) => place);
    this.result = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  get settled(): boolean {
    return this.#settle === null;
  }

  /** Recipients without an outcome. */
  get envelope(): ClientEnvelope {
    const envelope = this.#envelope;
    if (this.#places.length === envelope.recipients.length) return envelope;
    return { ...envelope, recipients: this.#places.map((place) => envelope.recipients[place]!) };
  }

  /** Makes the message ready. Returns whether it is; if not, `ready` is called later, with what has gone wrong, or null. */
  open(capabilities: Capabilities, ready: (failure: { readonly error: unknown } | null) => void): boolean {
    if (this.source.facts !== null || (!this.#opening && this.source.openAtOnce(this.#options.facts))) return true;
    if (this.#opening) return false;
    this.#opening = true;
    this.source.open(capabilities, this.#options.facts).then(
      () => {
        this.#opening = false;
        if (!this.settled) ready(null);
      },
      (error: unknown) => ready({ error }),
    );
    return false;
  }

  /** It is given up, for this reason. A missing reason is replaced by a general error. */
  abandon(error: unknown): void {
    this.#abandoned = true;
    this.error = error ?? new Error(`the message was given up, and the reason is ${error}`);
  }

  /** So many more octets of the message have been taken. */
  wrote(octets: number): void {
    this.#taken += octets;
    const { progress } = this.#options;
    if (progress !== undefined)
      notify(
        () => progress(this.#taken),
        (error) => this.#warn(error, 'the function progress has failed'),
      );
  }

  /** What happens to the transaction that it has now. */
  take(event: SendNotice): void {
    if (event.type === 'outcome') {
      const { type: _type, transaction: _transaction, index, ...outcome } = event;
      this.#outcomes[this.#places[index]!] = outcome;
    }
    const { notice } = this.#options;
    if (notice !== undefined)
      notify(
        () => notice('index' in event ? { ...event, index: this.#places[event.index]! } : event),
        (error) => this.#warn(error, 'the function notice has failed'),
      );
  }

  /** Whether another transaction is needed, and can be had: the last one was for some, and the message can be made again. */
  again(): boolean {
    const left = this.#places.filter((place) => isForAnother(this.#outcomes[place]));
    if (this.#abandoned || left.length === 0 || left.length === this.#places.length) return false;
    const next = this.source.again();
    if (next === null) return false;
    this.#places = left;
    this.source.stop();
    this.source = next;
    this.#taken = 0;
    return true;
  }

  /** Ends the delivery: recipients without an outcome get this one. `error` is why the session ended, if it did. */
  settle(rest: Outcome, error: unknown = null): void {
    this.source.stop();
    // What the server has decided was not for the session's end to change.
    if (this.#outcomes.some((outcome) => OPEN.includes((outcome ?? rest).status))) this.error ??= error;
    const outcomes = this.#outcomes.map((told, place): RecipientOutcome => {
      const outcome = told ?? rest;
      return { recipient: this.#addressOf(place), ...outcome, ...retryOf(outcome) };
    });
    this.#settle?.resolve({ outcomes, error: this.error });
    this.#settle = null;
  }

  /** It can't be sent to anybody: a mistake of the program's. */
  fail(error: unknown): void {
    this.source.stop();
    this.#settle?.reject(error);
    this.#settle = null;
  }

  #addressOf(place: number): string {
    return addressText(this.#envelope.recipients[place]!.forwardPath);
  }
}

/** An envelope as the engine wants it. Throws `SmtpUsageError` for a name that it does not have: `notify` stands in `parameters`. */
export function transactionOf(given: SendEnvelope): ClientEnvelope {
  const envelope = checkOptions(ENVELOPE_OPTIONS, given, OTHER_NAMES, 'envelope');
  addressText(envelope.reversePath, 'envelope.reversePath');
  return { ...envelope, recipients: (envelope.recipients ?? []).map(recipientOf) };
}

function recipientOf(given: Address | ClientRecipient, place: number): ClientRecipient {
  if (typeof given === 'string') return { forwardPath: given };
  const path = `envelope.recipients.${place}`;
  const isAddress = !isRecipient(given);
  const recipient = isAddress ? { forwardPath: given } : checkOptions(RECIPIENT_OPTIONS, given, OTHER_NAMES, path);
  addressText(recipient.forwardPath, isAddress ? path : `${path}.forwardPath`);
  return recipient;
}

/** The envelope of `send`. */
export const ENVELOPE_OPTIONS: TableOf<SendEnvelope> = { reversePath: 'any', parameters: 'object', recipients: 'list' };
/** A recipient that has parameters of its own. */
export const RECIPIENT_OPTIONS: TableOf<ClientRecipient> = { forwardPath: 'any', parameters: 'object' };
/** The options of `send`. */
export const SEND_OPTIONS: TableOf<SendOptions> = { facts: FACTS, signal: 'signal', progress: 'call', notice: 'call' };

function isRecipient(one: Address | ClientRecipient): one is ClientRecipient {
  return typeof one === 'object' && one !== null && 'forwardPath' in one;
}

function isForAnother(outcome: Outcome | null | undefined): boolean {
  return outcome?.status === 'unsent' && outcome.cause === 'limits';
}

const OPEN: readonly Outcome['status'][] = ['unsent', 'unknown'];
