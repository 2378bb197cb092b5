import { type AuthAnswer, type AuthOptions, type AuthPolicyOptions, type AuthQuestion, canBind, SmtpUsageError } from '@ehlo/engine';
import { type Acceptance, accept, type Challenge, challenge, isRefusal, type Refusal, reject } from './decision.ts';
import type { Session } from './handler.ts';
import {
  type Claim,
  deriveKey,
  freshNonce,
  randomOctets,
  type ServerMechanism,
  type ServerStep,
  type Stored,
  type VerifyStep,
} from './sasl.ts';

type Awaitable<T> = T | Promise<T>;

/**
 * How clients authenticate themselves.
 *
 * @example
 * ```ts
 * import type { Authentication } from '@ehlo/driver';
 * import { plain, scram } from '@ehlo/sasl';
 * const passwords = new Map([['tim', 'tanstaaftanstaaf']]);
 * const auth: Authentication = { mechanisms: [scram(), plain()], lookup: (user) => passwords.get(user) };
 * ```
 */
export interface Authentication extends AuthPolicyOptions {
  /** Mechanisms of `@ehlo/sasl`, best first: `[scram(), plain()]`. */
  readonly mechanisms: readonly (ServerMechanism | readonly ServerMechanism[])[];
  /**
   * What is stored of a user: the password, or better, keys that follow from it. Null or undefined if there is no such user: the client
   * can't tell by what is said. Keys have a method `decoy`, whose keys take as long, too: give those instead, as `userTable` of
   * `@ehlo/sasl` does.
   */
  lookup?(user: string, session: Session): Awaitable<Stored | null | undefined>;
  /**
   * Judges a claim: `true`, it is the user that it claims to be; the user's name; `false`; or what `reject` made, with a code, a text and,
   * where the mechanism can tell it, an OAuth error of its own. Null or undefined leave a password to `lookup`; where there is none, or no
   * password, that is a failure of the program, as is anything else: 454, told to `error`. SCRAM and CRAM-MD5 show no password, and ask
   * `lookup` alone.
   */
  verify?(claim: PresentedClaim, session: Session): Awaitable<boolean | string | Refusal | null | undefined>;
  /** Whether a user may act as another identity. Default: never. */
  authorize?(user: string, authzid: string, session: Session): Awaitable<boolean>;
  /** Octets that only this server knows: salts of users that have none follow from them. Default: random for each server. */
  readonly pepper?: Uint8Array;
}

/** What a client claims of itself, and by what mechanism: `PLAIN`, `OAUTHBEARER` … */
export type PresentedClaim = Claim & { readonly mechanism: string };

/** Mechanisms as values, for the driver to carry out; names are for the handler's own `auth`. */
export function isAuthentication(auth: AuthOptions | Authentication): auth is Authentication {
  return auth.mechanisms.some((mechanism) => typeof mechanism !== 'string') || 'lookup' in auth || 'verify' in auth;
}

/** The reply to a failed exchange. */
const refused = (): Refusal => reject(535, '5.7.8', 'Authentication credentials invalid');
const malformed = (): Refusal => reject(501, '5.5.2', 'Cannot understand the response of this mechanism');
/** RFC 4954 4: the server "MUST reject the AUTH command with a 501 reply" and "SHOULD return an enhanced status code of 5.7.0". */
const notFirst = (): Refusal => reject(501, '5.7.0', 'The client does not begin with this mechanism');

/** Answers the questions of AUTH for all sessions of a server. */
export class Authenticator {
  /** For the engine. */
  readonly options: AuthOptions;
  readonly #settings: Authentication;
  readonly #hostname: string;
  readonly #pepper: Uint8Array;
  readonly #mechanisms: ReadonlyMap<string, ServerMechanism>;

  /** Throws `SmtpUsageError` if a mechanism needs a callback that is not given. */
  constructor(settings: Authentication, hostname: string) {
    const { mechanisms, pepper = randomOctets(32) } = settings;
    const all = mechanisms.flat();
    if (all.length === 0)
      throw new SmtpUsageError('bad-argument', 'auth.mechanisms is empty: name those that are offered, such as [scram(), plain()]');
    if (typeof all[0] === 'string')
      throw new SmtpUsageError('bad-argument', `auth.mechanisms has names, which lookup and verify can't serve: give plain() for 'PLAIN'`);
    for (const { name, asks } of all) {
      if (!asks.some((ask) => settings[ask] !== undefined))
        throw new SmtpUsageError('missing-question', `${name} needs ${asks.map((ask) => `auth.${ask}`).join(' or ')}`);
    }
    const { lookup: _lookup, verify: _verify, authorize: _authorize, pepper: _pepper, ...options } = settings;
    this.options = { ...options, mechanisms: all.map(({ name }) => name) };
    this.#settings = settings;
    this.#hostname = hostname;
    this.#pepper = pepper;
    this.#mechanisms = new Map(all.map((mechanism) => [mechanism.name, mechanism]));
  }

  /** What answers the questions of one session. */
  exchange(session: Session): (question: AuthQuestion) => Promise<Acceptance<AuthAnswer> | Refusal | Challenge> {
    // The answer came too late: its exchange is over, and another has begun since, which goes on.
    let current: Exchange;
    return async ({ mechanism, step, response }) => {
      let now: ServerStep;
      if (step === 0) {
        current = { mechanism, next: null, refusal: null };
        const { clientFirst } = this.#mechanisms.get(mechanism)!;
        if (response !== null && !clientFirst) return notFirst();
        now = this.#begin(mechanism, session);
        if (response !== null && now.type === 'challenge') now = now.next(response.expose());
      } else now = current.next!(response!.expose());
      const exchange = current;
      const settled = await this.#settle(now, session, exchange);
      if (settled.type === 'failure') return settled.reason === 'malformed' ? malformed() : (exchange.refusal ?? refused());
      if (settled.type === 'success') return this.#authorized(settled.user, settled.authzid, session);
      exchange.next = (data) => settled.next(data);
      return challenge(settled.challenge);
    };
  }

  #begin(mechanism: string, { tls }: Session): ServerStep {
    // RFC 5802 6: to a client that is not offered the -PLUS form of a mechanism, bindings do not exist.
    const binds = this.#mechanisms.get(mechanism)!.bound || this.#mechanisms.get(`${mechanism}-PLUS`)?.bound === true;
    const bindings = binds && canBind(tls) ? tls?.bindings : undefined;
    return this.#mechanisms.get(mechanism)!.server({
      nonce: freshNonce(),
      hostname: this.#hostname,
      pepper: this.#pepper,
      ...(bindings === undefined ? {} : { bindings }),
    });
  }

  /** Answers the requests of an exchange to the program, until the client has to respond or the exchange ends. */
  async #settle(step: ServerStep, session: Session, exchange: Exchange): Promise<Settled> {
    for (let now = step; ; ) {
      if (now.type === 'lookup') now = now.next((await this.#settings.lookup!(now.user, session)) ?? null);
      else if (now.type === 'derive') now = now.next(await deriveKey(now.derivation));
      else if (now.type === 'verify') now = await this.#judge(now, session, exchange);
      else return now;
    }
  }

  async #judge(step: VerifyStep, session: Session, exchange: Exchange): Promise<ServerStep> {
    const { claim } = step;
    const settings = this.#settings;
    const verdict: unknown = await settings.verify?.({ ...claim, mechanism: exchange.mechanism }, session);
    if (isRefusal(verdict)) {
      exchange.refusal = verdict;
      return step.next(null, verdict.oauth);
    }
    if (verdict === false) return step.next(null);
    if (verdict === true) return step.next(claimed(claim));
    if (typeof verdict === 'string' && verdict !== '') return step.next(verdict);
    if (verdict !== undefined && verdict !== null)
      throw new TypeError(
        "auth.verify decided nothing: return true, false, the user's name, reject(…), or nothing where auth.lookup is to judge",
      );
    if (claim.type !== 'password' || step.compare === undefined || settings.lookup === undefined)
      throw new TypeError(`nobody has judged a claim of type ${claim.type}: auth.verify has to`);
    return step.compare((await settings.lookup(claim.user, session)) ?? null);
  }

  async #authorized(user: string, authzid: string | null, session: Session): Promise<Acceptance<AuthAnswer> | Refusal> {
    if (authzid === null || authzid === user) return accept({ identity: user });
    return (await this.#settings.authorize?.(user, authzid, session)) === true ? accept({ identity: authzid }) : refused();
  }
}

/** One AUTH command and what follows it. */
interface Exchange {
  readonly mechanism: string;
  /** Takes the client's next response. */
  next: ((response: Uint8Array) => ServerStep) | null;
  /** What the program refuses it with; the mechanism may have something to say before. */
  refusal: Refusal | null;
}

type Settled = Extract<ServerStep, { readonly type: 'challenge' | 'success' | 'failure' }>;

/** Who a client claims to be. */
function claimed(claim: Claim): string {
  const name = claim.type === 'anonymous' ? 'anonymous' : claim.type === 'external' ? claim.authzid : claim.user;
  if (name) return name;
  throw new TypeError(`a claim of type ${claim.type} names nobody: auth.verify has to return the name`);
}
