export { Body, BodyAbortedError } from './body.ts';
export { Connection } from './connection.ts';
export { type Challenge, type Decision, type Handler, type IncomingMessage, isRejection, reject, type Session } from './handler.ts';
export { type ServeOptions, Server, serveOn } from './serve.ts';
export type { Address, Listener, Sink, Transport } from './transport.ts';
