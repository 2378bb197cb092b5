import { type ClientEvent, type ClientSession, SmtpUsageError } from '@ehlo/engine';
import type { Reply } from '@ehlo/grammar';
import { ClientError, replyText } from './client-error.ts';
import type { ClientMechanism, ClientMechanismContext, ClientStep, Credentials } from './client-sasl.ts';
import { deriveKey, freshNonce } from './sasl.ts';

/** How a client authenticates itself. */
export interface ClientAuth extends Credentials {
  /** Mechanisms of `@ehlo/sasl`, best first: `[scram(), plain()]`. The first is taken that the server offers and the credentials suit. */
  readonly mechanisms: readonly (ClientMechanism | readonly ClientMechanism[])[];
}

/** RFC 4954 6: this mechanism is not supported, or too weak; another may do. */
const TRY_ANOTHER: readonly number[] = [504, 534];

/** Carries out AUTH (RFC 4954) with one mechanism after the other, until the server has had its say. */
export class ClientAuthentication {
  readonly #session: ClientSession;
  readonly #context: ClientMechanismContext;
  readonly #act: (call: () => void) => void;
  readonly #done: (error: Error | null) => void;
  readonly #candidates: ClientMechanism[];
  readonly #given: readonly string[];
  #step: ClientStep | null = null;
  #failure: string | null = null;
  /** Why no mechanism could begin. */
  #unsuited: ClientError | null = null;
  /** How the server has broken the protocol. */
  #fault: string | null = null;

  /** `act` does something to the session later; `done` is called once. */
  constructor(
    session: ClientSession,
    { mechanisms, ...credentials }: ClientAuth,
    server: { readonly host?: string; readonly port?: number },
    act: (call: () => void) => void,
    done: (error: Error | null) => void,
  ) {
    const offered = (session.capabilities?.extensions.get('AUTH') ?? []).map((name) => name.toUpperCase());
    const bindings = session.tls?.bindings;
    this.#session = session;
    this.#context = { credentials, nonce: freshNonce(), offered, ...(bindings === undefined ? {} : { bindings }), ...server };
    this.#act = act;
    this.#done = done;
    const all = mechanisms.flat();
    this.#given = all.map(({ name }) => name);
    this.#candidates = all.filter(
      (mechanism) => offered.includes(mechanism.name) && (!mechanism.bound || (bindings?.size ?? 0) > 0) && mechanism.suits(this.#context),
    );
  }

  /** Begins with the first mechanism that is left and can send the credentials. */
  begin(): void {
    for (let mechanism = this.#candidates.shift(); mechanism !== undefined; mechanism = this.#candidates.shift()) {
      // RFC 5802 5.1: a nonce is used once, also where another mechanism is tried.
      const step = mechanism.client({ ...this.#context, nonce: freshNonce() });
      if (step.type === 'respond') return this.#authenticate(mechanism.name, step);
      this.#unsuited ??= failed(step.type === 'failure' ? step.reason : 'unexpected');
    }
    this.#done(this.#unsuited ?? this.#unavailable());
  }

  #authenticate(name: string, step: Extract<ClientStep, { readonly type: 'respond' }>): void {
    this.#step = step;
    try {
      this.#session.authenticate(name, step.response?.expose() ?? null);
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
    } else {
      const { reply } = event;
      if (this.#fault !== null)
        return this.#done(new ClientError('protocol', `the server breaks the protocol (${this.#fault})`, { stage: 'auth', reply }));
      if (this.#failure !== null) return this.#done(failed(this.#failure, reply));
      if (TRY_ANOTHER.includes(reply.code) && this.#candidates.length > 0) return this.begin();
      const problem = step?.type === 'respond' && step.problem !== undefined ? ` (${step.problem})` : '';
      // RFC 4954 6: 432, 454 and 421 say nothing of the credentials.
      const what = reply.code < 500 ? 'cannot authenticate anybody now' : 'refuses the credentials';
      this.#done(new ClientError('auth-refused', `the server ${what}: ${replyText(reply)}${problem}`, { stage: 'auth', reply }));
    }
  }

  #follow(step: ClientStep): void {
    this.#step = step;
    if (step.type === 'derive') {
      deriveKey(step.derivation).then(
        (key) => this.#act(() => this.#follow(step.next(key))),
        () => this.#act(() => this.#cancel('derivation')),
      );
    } else if (step.type === 'failure') this.#cancel(step.reason);
    else this.#respond(step.response?.expose() ?? new Uint8Array(0));
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

  #unavailable(): ClientError {
    const { offered } = this.#context;
    const text =
      offered.length === 0
        ? `the server does not offer AUTH${this.#session.tls === null ? ' in clear: require TLS' : ' here: take its submission port, 465 or 587'}`
        : `the server offers ${offered.join(', ')} for AUTH; of ${this.#given.join(', ')} none can be used`;
    return new ClientError('auth-unavailable', text, { stage: 'auth' });
  }
}

const UNPROTECTED =
  'credentials are sent under TLS only, to a server whose certificate was verified, unless the option credentials says less';

/** What a mechanism gives up for. */
const FAILURES: { readonly [reason: string]: string } = {
  credentials: 'the credentials have characters that this mechanism can not send, or lack something',
  impostor: 'the server does not know the password: it is not who it should be',
};

function failed(reason: string, reply: Reply | null = null): ClientError {
  // RFC 5802 7: server-error, in the place of the server's signature.
  if (reason === 'refused') return new ClientError('auth-refused', 'the server refuses the credentials', { stage: 'auth', reply });
  return new ClientError('auth-failed', FAILURES[reason] ?? `the AUTH exchange has failed (${reason})`, { stage: 'auth' });
}
