export type { Authentication } from './authentication.ts';
export { Body, BodyAbortedError } from './body.ts';
export { Connection } from './connection.ts';
export { type Challenge, type Decision, type Handler, type IncomingMessage, isRejection, reject, type Session } from './handler.ts';
export type { Claim, Derivation, Hidden, ServerMechanism, ServerStep, Stored, StoredKeys } from './sasl.ts';
export { type ServeOptions, Server, serveOn } from './serve.ts';
export type { Address, Listener, Sink, Transport } from './transport.ts';
