import { type ClientEvent, type ClientSession, SmtpUsageError } from '@ehlo/engine';
import { decodeUtf8 } from '@ehlo/grammar';
import { attemptsBehind } from './auth-refusals.ts';
import { ClientError, replyText } from './client-error.ts';
import type { ClientMechanism, ClientMechanismContext, ClientStep, Credentials } from './client-sasl.ts';
import { exposed, type GivenCredentials, wordsOf } from './credentials.ts';
import { deriveKey, freshNonce } from './sasl.ts';

/** How a client authenticates itself. */
export interface ClientAuth extends GivenCredentials {
  /**
   * Mechanisms of `@ehlo/sasl`, best first: `[scram(), plain()]`. The client uses the first that the server offers and that fits the
   * credentials. It tries the next if the server refuses the mechanism and not the credentials; one that shows a secret follows one that
   * does not only under TLS with a server whose certificate was verified.
   */
  readonly mechanisms: readonly (ClientMechanism | readonly ClientMechanism[])[];
}

/** Carries out AUTH (RFC 4954) with one mechanism after the other, until one succeeds or no other may be tried. */
export class ClientAuthentication {
  readonly #session: ClientSession;
  readonly #auth: ClientAuth;
  readonly #server: { readonly host?: string; readonly port?: number };
  readonly #act: (call: () => void) => void;
  readonly #done: (error: Error | null) => void;
  readonly #offered: readonly string[];
  #context: ClientMechanismContext | null = null;
  #candidates: ClientMechanism[] = [];
  /** The mechanism of the exchange. */
  #mechanism: ClientMechanism | null = null;
  #step: ClientStep | null = null;
  /** How many more mechanisms may be tried. */
  #attempts: number = Number.POSITIVE_INFINITY;
  #failure: string | null = null;
  /** What the server says was wrong, fit to be shown. */
  #problem: string | null = null;
  /** Why no mechanism could begin. */
  #unsuited: ClientError | null = null;
  /** How the server has broken the protocol. */
  #fault: string | null = null;

  /** `act` does something to the session later; `done` is called once. */
  constructor(
    session: ClientSession,
    auth: ClientAuth,
    server: { readonly host?: string; readonly port?: number },
    act: (call: () => void) => void,
    done: (error: Error | null) => void,
  ) {
    this.#session = session;
    this.#auth = auth;
    this.#server = server;
    this.#act = act;
    this.#done = done;
    this.#offered = (session.capabilities?.extensions.get('AUTH') ?? []).map((name) => name.toUpperCase());
  }

  /** Begins, at once or when there is a token. */
  begin(): void {
    const credentials = exposed(this.#auth);
    if (!(credentials instanceof Promise)) return this.#choose(credentials);
    // A session that has ended meanwhile has told so.
    const later = (call: () => void): void => this.#act(() => (this.#session.phase === 'ready' ? call() : undefined));
    credentials.then(
      (given) => later(() => this.#choose(given)),
      (error: Error) => later(() => this.#done(error)),
    );
  }

  #choose(credentials: Credentials): void {
    const mechanisms = this.#auth.mechanisms.flat();
    const bindings = this.#session.tls?.bindings;
    const context = {
      credentials,
      nonce: freshNonce(),
      offered: this.#offered,
      ...(bindings === undefined ? {} : { bindings }),
      ...this.#server,
    };
    this.#context = context;
    this.#candidates = mechanisms.filter(
      (mechanism) => this.#offered.includes(mechanism.name) && (!mechanism.bound || (bindings?.size ?? 0) > 0) && mechanism.suits(context),
    );
    if (!this.#next()) this.#done(this.#unsuited ?? this.#unavailable(mechanisms));
  }

  /** Begins with the first mechanism that is left and can send the credentials; false if there is none. */
  #next(): boolean {
    for (let mechanism = this.#candidates.shift(); mechanism !== undefined; mechanism = this.#candidates.shift()) {
      // RFC 5802 5.1: a nonce is used once, also where another mechanism is tried.
      const step = mechanism.client({ ...this.#context!, nonce: freshNonce() });
      if (step.type === 'respond') {
        this.#authenticate(mechanism, step);
        return true;
      }
      this.#unsuited ??= failed(step.type === 'failure' ? step.reason : 'unexpected');
    }
    return false;
  }

  #authenticate(mechanism: ClientMechanism, step: Extract<ClientStep, { readonly type: 'respond' }>): void {
    this.#mechanism = mechanism;
    this.#step = step;
    try {
      this.#session.authenticate(mechanism.name, step.response?.expose() ?? null, wordsOf(this.#context!.credentials));
    } catch (error) {
      const unprotected = error instanceof SmtpUsageError && error.code === 'unprotected';
      this.#done(unprotected ? new ClientError('unprotected', UNPROTECTED, { stage: 'auth' }) : (error as Error));
    }
  }

  take(event: Extract<ClientEvent, { readonly type: 'challenge' | 'authenticated' | 'reply' | 'fault' }>): void {
    const step = this.#step;
    if (event.type === 'fault') this.#fault = event.code;
    else if (event.type === 'challenge') {
      if (step?.type === 'respond') this.#follow(step.next(event.data.expose()));
    } else if (event.type === 'authenticated') {
      const content = step?.type === 'respond' && step.final;
      this.#done(content ? null : failed('impostor'));
    } else this.#refused(event);
  }

  #refused({ reply, withheld }: Extract<ClientEvent, { readonly type: 'reply' }>): void {
    if (this.#fault !== null)
      return this.#done(new ClientError('protocol', `the server breaks the protocol (${this.#fault})`, { stage: 'auth', reply }));
    // A server that has not proved itself is not asked again.
    if (this.#failure !== null) return this.#done(failed(this.#failure, reply));
    const said = withheld?.expose();
    this.#attempts = Math.min(
      this.#attempts - 1,
      attemptsBehind(reply, said === undefined ? reply.lines.join(' ') : decodeUtf8(said, 0, said.length)),
    );
    if (this.#attempts > 0) {
      this.#candidates = this.#candidates.filter((mechanism) => this.#mayFollow(mechanism));
      if (this.#next()) return;
    }
    const problem = this.#problem === null ? '' : ` (${this.#problem})`;
    // RFC 4954 6: 432, 454 and 421 say nothing of the credentials.
    const what = reply.code < 500 ? 'cannot authenticate anybody now' : 'refuses the credentials';
    const why = withheld === undefined ? '' : '; its words are withheld, for they may hold a secret';
    this.#done(new ClientError('auth-refused', `the server ${what}: ${replyText(reply)}${problem}${why}`, { stage: 'auth', reply }));
  }

  /** An attacker on the network path may refuse a mechanism that hides the password, so that the client uses one that reveals it. */
  #mayFollow({ reveals = true }: ClientMechanism): boolean {
    return !reveals || (this.#mechanism!.reveals ?? true) || this.#session.tls?.peerCertificate?.authorized === true;
  }

  #follow(step: ClientStep): void {
    this.#step = step;
    if (step.type === 'derive') {
      deriveKey(step.derivation).then(
        (key) => this.#act(() => this.#follow(step.next(key))),
        () => this.#act(() => this.#cancel('derivation')),
      );
    } else if (step.type === 'failure') this.#cancel(step.reason);
    else {
      if (step.problem !== undefined) this.#problem = this.#session.show(step.problem);
      this.#respond(step.response?.expose() ?? new Uint8Array(0));
    }
  }

  /** What a challenge has made longer than a line may be is the server's doing. */
  #respond(response: Uint8Array): void {
    try {
      this.#session.respond(response);
    } catch {
      this.#cancel('too-long');
    }
  }

  #cancel(reason: string): void {
    this.#failure = reason;
    this.#session.cancel();
  }

  #unavailable(given: readonly ClientMechanism[]): ClientError {
    const offered = this.#offered;
    const text =
      offered.length === 0
        ? `the server does not offer AUTH${this.#session.tls === null ? ' in clear: require TLS' : ' here: take its submission port, 465 or 587'}`
        : `the server offers ${offered.join(', ')} for AUTH; of ${given.map(({ name }) => name).join(', ')} none can be used`;
    return new ClientError('auth-unavailable', text, { stage: 'auth' });
  }
}

const UNPROTECTED =
  "credentials are sent under TLS only, to a server whose certificate was verified, unless the option says less: credentials: 'encrypted'";

/** What a mechanism gives up for. */
const FAILURES: { readonly [reason: string]: string } = {
  credentials: 'the credentials have characters that this mechanism can not send, or lack something',
  impostor: 'the server does not know the password: it is not who it should be',
};

function failed(reason: string, reply: ClientError['reply'] = null): ClientError {
  // RFC 5802 7: server-error, in the place of the server's signature.
  if (reason === 'refused') return new ClientError('auth-refused', 'the server refuses the credentials', { stage: 'auth', reply });
  return new ClientError('auth-failed', FAILURES[reason] ?? `the AUTH exchange has failed (${reason})`, { stage: 'auth' });
}
