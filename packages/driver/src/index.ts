export { Body, BodyAbortedError } from './body.ts';
export { Connection } from './connection.ts';
export { type ByteStream, type Ends, fromReader, fromStreams } from './from-reader.ts';
export { type Challenge, type Decision, type Handler, type IncomingMessage, isRejection, reject, type Session } from './handler.ts';
export { Entrance, type ListenAndServeOptions, type ListenOptions, listenAndServe } from './listen.ts';
export { type ServeOptions, Server, serveOn } from './serve.ts';
export { type Address, LINGER_MS, LINGER_OCTETS, type Listener, type Sink, type Transport } from './transport.ts';
