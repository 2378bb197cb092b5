import type { DeriveStep, Hidden } from './sasl.ts';

/** A mechanism, on the client's side: the values of @ehlo/sasl are of this shape, and so may be your own. */
export interface ClientMechanism {
  readonly name: string;
  /** Whether the client may speak first. */
  readonly clientFirst: boolean;
  /** Whether it needs data of the TLS connection. */
  readonly bound: boolean;
  /** Whether the server learns the password or the token itself. Absent: it does. */
  readonly reveals?: boolean;
  /** Whether the context has what it needs. */
  suits(context: ClientMechanismContext): boolean;
  client(context: ClientMechanismContext): ClientStep;
}

/** What a client has to show. */
export interface Credentials {
  readonly user?: string;
  readonly password?: string;
  /** An OAuth 2.0 access token, in place of a password. */
  readonly token?: string;
  /** Whom to act as, where that is not the user. */
  readonly authzid?: string;
}

export interface ClientMechanismContext {
  readonly credentials: Credentials;
  readonly nonce: string;
  readonly bindings?: ReadonlyMap<string, Uint8Array>;
  /** The names that the server offers. */
  readonly offered: readonly string[];
  readonly host?: string;
  readonly port?: number;
}

/** What an exchange wants next; `next` takes the answer and never throws. */
export type ClientStep =
  | {
      readonly type: 'respond';
      /** Null: the server speaks first. */
      readonly response: Hidden<Uint8Array> | null;
      /** Whether the server may now declare success. */
      readonly final: boolean;
      /** What the server says was wrong. */
      readonly problem?: string;
      next(challenge: Uint8Array): ClientStep;
    }
  | DeriveStep<ClientStep>
  | { readonly type: 'failure'; readonly reason: string };
