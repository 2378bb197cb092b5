import { BEFORE_MAIL, COMMANDS, LINES } from './phases.ts';
import type { Phase, Row } from './row.ts';

const BEFORE_GREETING = ['wait', 'connect', 'greeting'] as const;
/** Between chunks a BDAT is refused only if its chunk cannot be skipped: its size is not known, or it is more than `messageSize` and `drain` together. */
const OUTSIDE_CHUNKS = LINES.filter((phase) => phase !== 'chunks');
const CONTENT = ['data', 'chunk'] as const;
const OPEN: readonly Phase[] = [...BEFORE_GREETING, ...LINES, ...CONTENT, 'drain', 'message', 'auth', 'tls'];
/** A reply may wait for its reader: before the greeting there is none. */
const SPOKEN = OPEN.filter((phase) => phase !== 'wait');

/** What no verb does. */
export const TRIGGER_ROWS: readonly Row[] = [
  // The greeting. RFC 5321 4.3.1: "The sender SHOULD wait for this greeting message before sending any commands."
  { on: 'time-out', from: ['wait'], to: 'connect' },
  { on: 'accepted', from: ['connect'], when: ['reply-held-back'], effect: 'holdGreeting', reply: 'greeting', to: 'greeting' },
  {
    on: 'accepted',
    from: ['connect'],
    when: ['early-talker-unwelcome'],
    effect: 'turnAwayEarlyTalker',
    reply: 'earlyTalker',
    to: 'refused',
  },
  { on: 'accepted', from: ['connect'], effect: 'greet', reply: 'greeting', to: 'greeted' },
  {
    on: 'time-out',
    from: ['greeting'],
    when: ['early-talker-unwelcome'],
    effect: 'turnAwayEarlyTalker',
    reply: 'earlyTalker',
    to: 'refused',
  },
  { on: 'time-out', from: ['greeting'], effect: 'greet', to: 'greeted' },
  { on: 'rejected', from: ['connect'], when: ['reply-closes'], effect: 'refuse', to: 'closed', cause: 'refused' },
  { on: 'rejected', from: ['connect'], effect: 'turnAway', to: 'refused' },
  { on: 'no-answer', from: ['connect'], reply: 'connectNoAnswer', to: 'closed', cause: 'timeout' },

  // Commands that are refused, by the program or by the engine.
  { on: 'rejected', from: COMMANDS, when: ['reply-closes'], effect: 'refuse', to: 'closed', cause: 'refused' },
  { on: 'rejected', from: COMMANDS, effect: 'refuse' },
  { on: 'unknown', from: COMMANDS, refuse: 'unknownVerb' },
  { on: 'unknown', from: ['refused'], refuse: 'onlyQuit' },
  { on: 'fault', from: LINES, when: ['faults-spent'], effect: 'refuseCommand', reply: 'tooManyFaults', to: 'closed', cause: 'faults' },
  { on: 'fault', from: LINES, when: ['fault-closes'], effect: 'refuseCommand', to: 'closed' },
  { on: 'fault', from: LINES, effect: 'refuseCommand' },
  {
    on: 'other-protocol',
    from: [...LINES, 'auth'],
    effect: 'tellOtherProtocol',
    reply: 'wrongProtocol',
    to: 'closed',
    cause: 'wrong-protocol',
  },

  // The content of a message. RFC 3030 2: its octets come before the reply to BDAT.
  { on: 'accepted', from: ['chunk'], to: 'chunk' },
  { on: 'rejected', from: ['chunk'], effect: 'refuseFirstChunk', to: 'chunk' },
  { on: 'refuse-message', from: [...CONTENT, 'chunks'], effect: 'refuseMessage' },
  { on: 'end-of-chunk', from: ['chunk'], when: ['verdict-closes'], effect: 'endOfChunk', to: 'closed', cause: 'refused' },
  { on: 'end-of-chunk', from: ['chunk'], effect: 'endOfChunk', reply: 'chunk', to: 'chunks' },
  { on: 'end-of-data', from: CONTENT, when: ['verdict-closes'], effect: 'concludeRefused', to: 'closed', cause: 'refused' },
  { on: 'end-of-data', from: CONTENT, when: ['message-refused'], effect: 'concludeRefused', to: 'ready' },
  { on: 'end-of-data', from: CONTENT, to: 'message' },
  { on: 'too-much', from: CONTENT, reply: 'draining', to: 'closed', cause: 'drain' },

  // The decision on a message. RFC 2033 4.2: LMTP has one for each recipient.
  { on: 'accepted', from: ['message'], when: ['last-decision'], effect: 'takeResponsibility', reply: 'message', to: 'ready' },
  { on: 'accepted', from: ['message'], effect: 'takeResponsibility', reply: 'message', to: 'message' },
  { on: 'rejected', from: ['message'], when: ['reply-closes'], effect: 'refuseDecision', to: 'closed', cause: 'refused' },
  { on: 'rejected', from: ['message'], when: ['last-decision'], effect: 'refuseDecision', to: 'ready' },
  { on: 'rejected', from: ['message'], effect: 'refuseDecision', to: 'message' },

  // A refused BDAT. RFC 3030 2: what follows it is the chunk, never commands; so its size has to be known, and it is read before the reply.
  { on: 'chunk-refused', from: OUTSIDE_CHUNKS, when: ['chunk-readable'], effect: 'refuseChunk', to: 'drain' },
  { on: 'chunk-refused', from: LINES, when: ['faults-spent'], effect: 'loseChunk', reply: 'tooManyFaults', to: 'closed', cause: 'faults' },
  { on: 'chunk-refused', from: LINES, effect: 'loseChunk', to: 'closed', cause: 'bdat' },
  { on: 'chunk-drained', from: ['drain'], when: ['no-faults-left'], effect: 'answerChunk', to: 'closed', cause: 'faults' },
  { on: 'chunk-drained', from: ['drain'], when: ['turned-away'], effect: 'answerChunk', to: 'refused' },
  { on: 'chunk-drained', from: ['drain'], when: ['no-hello'], effect: 'answerChunk', to: 'greeted' },
  { on: 'chunk-drained', from: ['drain'], when: ['no-transaction'], effect: 'answerChunk', to: 'ready' },
  { on: 'chunk-drained', from: ['drain'], when: ['chunking-not-offered', 'no-recipient'], effect: 'answerChunk', to: 'mail' },
  { on: 'chunk-drained', from: ['drain'], when: ['chunking-not-offered'], effect: 'answerChunk', to: 'rcpt' },
  { on: 'chunk-drained', from: ['drain'], when: ['last-chunk'], effect: 'failLastChunk', to: 'ready' },
  { on: 'chunk-drained', from: ['drain'], effect: 'failChunk', to: 'chunks' },

  // RFC 4954 4
  { on: 'response', from: ['auth'], effect: 'askStep' },
  { on: 'challenged', from: ['auth'], effect: 'challenge' },
  { on: 'accepted', from: ['auth'], effect: 'authenticate', reply: 'authenticated', to: 'ready' },
  { on: 'rejected', from: ['auth'], when: ['faults-spent'], effect: 'refuseAuth', reply: 'tooManyFaults', to: 'closed', cause: 'faults' },
  { on: 'rejected', from: ['auth'], when: ['reply-closes'], effect: 'refuseAuth', to: 'closed', cause: 'refused' },
  { on: 'rejected', from: ['auth'], effect: 'refuseAuth', to: 'ready' },
  { on: 'bad-response', from: ['auth'], when: ['faults-spent'], effect: 'failAuth', reply: 'tooManyFaults', to: 'closed', cause: 'faults' },
  { on: 'bad-response', from: ['auth'], effect: 'failAuth', to: 'ready' },

  // RFC 3207
  { on: 'plaintext', from: ['tls'], effect: 'tellPlaintext', to: 'closed', cause: 'plaintext-after-starttls' },
  { on: 'secured', from: ['tls'], effect: 'secure', to: 'greeted' },

  // The end. RFC 5321 3.8: 421 tells why the server closes; it may be told to only where nothing is half done.
  { on: 'leave', from: ['wait', 'connect', 'refused', ...BEFORE_MAIL], effect: 'sayFarewell', to: 'closed', cause: 'shutdown' },
  { on: 'time-out', from: [...LINES, ...CONTENT, 'drain', 'auth'], reply: 'timeout', to: 'closed', cause: 'timeout' },
  { on: 'time-out', from: ['tls'], to: 'closed', cause: 'timeout' },
  { on: 'content-not-taken', from: CONTENT, effect: 'giveUpContent', to: 'closed', cause: 'timeout' },
  { on: 'end', from: [...LINES, ...CONTENT, 'drain', 'auth', 'tls'], to: 'closed', cause: 'ended' },
  { on: 'stalled', from: SPOKEN, to: 'closed', cause: 'timeout' },
  { on: 'lost', from: OPEN, to: 'closed', cause: 'lost' },
];
