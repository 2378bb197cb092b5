/** Where a client session stands: its one state variable. */
export type ClientPhase =
  | 'connect' // the greeting is awaited
  | 'hello' // EHLO, HELO or LHLO is asked
  | 'starttls' // STARTTLS is asked
  | 'tls' // the transport is being secured
  | 'ready' // no transaction
  | 'auth' // an AUTH exchange
  | 'command' // NOOP, VRFY, EXPN or HELP is asked
  | 'envelope' // MAIL and RCPT are asked
  | 'data' // DATA is asked
  | 'body' // the message is being sent
  | 'message' // its end is said, and the last reply awaited
  | 'quit' // QUIT is asked
  | 'closed';
