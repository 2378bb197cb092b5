import {
  type Answer,
  type AuthAnswer,
  checkAnswer,
  checkOptions,
  checkRejection,
  kindOf as describe,
  dropPromise,
  type InfoAnswer,
  type QuestionType,
  type Rejection,
  SmtpUsageError,
  type TableOf,
} from '@ehlo/engine';
import type { OauthProblem } from './sasl.ts';

/**
 * By this mark each copy of this package knows the decisions of the other (a program may load it as ESM and as CommonJS). It is on none of
 * what JSON, a structured clone, a spread or a store returns.
 */
const MARK: unique symbol = Symbol.for('ehlo.decision');

type Kind = 'accept' | 'reject' | 'challenge';

interface Marked<K extends Kind> {
  readonly [MARK]: K;
}

/** Yes, made by `accept`: with another text, code or delay, or with what the question wants to know. */
export type Acceptance<A extends Answer = Answer> = A & Marked<'accept'>;

/** No, made by `reject`. It may be returned, and thrown. */
export type Refusal = Rejection & Pick<RejectOptions, 'oauth'> & Marked<'reject'>;

export interface RejectOptions {
  /** How long to hold the reply back. Milliseconds; default: 0. */
  readonly delay?: number;
  /** In `auth.verify`: what is wrong with a token; OAUTHBEARER and XOAUTH2 tell it before the reply. RFC 7628 3.2.2. */
  readonly oauth?: OauthProblem;
}

/** The options of `reject`: every name, and what it may be. The delay is judged with the rest of the reply. */
export const REJECT_OPTIONS: TableOf<RejectOptions> = { delay: 'any', oauth: 'object' };

/** A challenge of an AUTH exchange (RFC 4954 4), made by `challenge`; the client's response comes as the next question. */
export interface Challenge extends Marked<'challenge'> {
  readonly challenge: Uint8Array;
}

/** `true`, `accept(…)` or `reject(…)`. Anything else, undefined too, is 451: silence is never consent. */
export type Decision<A extends Answer = Answer> = true | Acceptance<A> | Refusal;

/** One decision for all recipients; in LMTP also one for each, in order. */
export type Decisions = Decision | readonly Decision[];

/**
 * Makes a yes that says more than `true`: another `text`, `code` or `enhanced` code, a `delay` in milliseconds (at most 240000); for AUTH
 * the `identity`, for `info` the `text`. Throws `SmtpUsageError` if it can be none.
 *
 * @example
 * ```ts
 * import { accept } from '@ehlo/driver';
 * accept({ text: 'queued as 4711' })
 * // → { text: 'queued as 4711' }
 * ```
 */
export function accept(answer: AuthAnswer): Acceptance<AuthAnswer>;
export function accept(answer: InfoAnswer): Acceptance<InfoAnswer>;
export function accept(answer?: Answer): Acceptance;
export function accept(answer: Answer = {}): Acceptance {
  checkAnswer(answer);
  return marked('accept', { ...answer });
}

/**
 * Makes a refusal. Throws `SmtpUsageError` if it can be none: the code has to be 4yz or 5yz, and the enhanced code of the same class.
 *
 * @example
 * ```ts
 * import { reject } from '@ehlo/driver';
 * reject(550, '5.1.1', 'no such user')
 * // → { code: 550, enhanced: '5.1.1', text: 'no such user' }
 * ```
 */
export function reject(code: number, enhanced: string, text: string, options: RejectOptions = {}): Refusal {
  const rejection = { ...checkOptions(REJECT_OPTIONS, options), code, enhanced, text };
  checkRejection(rejection);
  return marked('reject', rejection);
}

/**
 * Makes a challenge, where a handler carries out AUTH by itself. Throws `SmtpUsageError` if its octets are no `Uint8Array`.
 *
 * @example
 * ```ts
 * import { challenge } from '@ehlo/driver';
 * challenge(Uint8Array.of(62))
 * // → { challenge: Uint8Array.of(62) }
 * ```
 */
export function challenge(octets: Uint8Array): Challenge {
  if (!(octets instanceof Uint8Array)) throw new SmtpUsageError('bad-argument', 'a challenge is a Uint8Array');
  return marked('challenge', { challenge: octets });
}

/** Not enumerable: a copy made by a spread, which may be changed, is not a decision. */
function marked<K extends Kind, D extends object>(kind: K, decision: D): D & Marked<K> {
  return Object.freeze(Object.defineProperty(decision, MARK, { value: kind })) as D & Marked<K>;
}

/** What kind of decision this is; null if it is not a decision. Never throws, for any value. */
function kindOf(value: unknown): Kind | null {
  try {
    return typeof value === 'object' && value !== null && Object.hasOwn(value, MARK) ? (value as Marked<Kind>)[MARK] : null;
  } catch {
    return null; // a Proxy whose traps throw
  }
}

export function isRefusal(value: unknown): value is Refusal {
  return kindOf(value) === 'reject';
}

/** What `true` stands for. */
export const YES: Acceptance = accept();

/** What consent has to say where `true` says too little. */
const NEEDS: { readonly [type in QuestionType]?: 'identity' | 'text' } = { auth: 'identity', info: 'text' };

/** What a handler has returned, as the decision that it is. Throws `TypeError` if it is none. */
export function decisionOf(type: QuestionType, value: unknown): Acceptance | Refusal | Challenge {
  const kind = kindOf(value);
  if (kind === 'reject') return value as Refusal;
  if (kind === 'challenge' && type === 'auth') return value as Challenge;
  const yes = value === true ? YES : kind === 'accept' ? (value as Acceptance) : null;
  const needs = NEEDS[type];
  if (yes !== null && (needs === undefined || (yes as Partial<AuthAnswer>)[needs] !== undefined)) return yes;
  const right = needs === undefined ? 'true, accept(…)' : type === 'auth' ? 'accept({ identity }), challenge(…)' : `accept({ ${needs} })`;
  const given = yes === null ? returned(value) : 'less than this question asks for';
  throw new TypeError(
    `the handler of '${type}' decided nothing: it returned ${given}; return ${right} or reject(…)`,
    value instanceof Error ? { cause: value } : {},
  );
}

/** What a handler has returned in place of a decision. Only the program is told, not the client. */
function returned(value: unknown): string {
  if (value === undefined) return 'undefined, as where return is missing';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'function') return `the function ${value.name}, which has to be called`;
  if (value instanceof Error) return `the error "${value.message}", which is to be thrown`;
  if (dropPromise(value)) return 'a promise among others: await Promise.all(…)';
  return describe(value);
}

export function isChallenge(decision: Acceptance | Refusal | Challenge): decision is Challenge {
  return kindOf(decision) === 'challenge';
}
