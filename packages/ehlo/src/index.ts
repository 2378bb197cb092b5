export {
  Body,
  BodyAbortedError,
  type Challenge,
  type Decision,
  type Handler,
  type IncomingMessage,
  reject,
  type ServeOptions,
  Server,
  type Session,
  serve,
} from '@ehlo/node';
