/** Where a client session stands: its one state variable. A transaction has a phase of its own (`TransactionPhase`). */
export type ClientPhase =
  | 'connect' // the greeting is awaited
  | 'hello' // EHLO, HELO or LHLO is asked
  | 'greeted' // it is answered, and what follows is decided; left at once
  | 'starttls' // STARTTLS is asked
  | 'tls' // the transport is being secured
  | 'ready' // no transaction
  | 'auth' // an AUTH exchange: the server's turn
  | 'challenge' // an AUTH exchange: the program's turn
  | 'cancelled' // an AUTH exchange is cancelled: the last reply is awaited
  | 'command' // a command of the program is asked: NOOP, VRFY, EXPN, HELP, ETRN, a verb of an extension; or the RSET that has to come before
  | 'transaction' // a mail transaction: its own table says how far it is
  | 'quit' // QUIT is asked
  | 'closed';

/** The phase of a mail transaction: its last command. The replies to earlier commands may still be due. */
export type TransactionPhase =
  | 'mail' // MAIL is to be said
  | 'envelope' // MAIL is said, and RCPT is being said
  | 'data' // DATA is said
  | 'body' // the message is being sent
  | 'stopped' // no more of it is wanted: what was announced of its chunks is sent, and their replies are awaited
  | 'end' // its end is said, and not handed out
  | 'message' // its end is handed out, and the last reply awaited
  | 'over';
