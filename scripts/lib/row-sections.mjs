// Which section of an RFC the rows of the state machines carry out. A row is in each section that has a pattern that fits it: of every list that the
// pattern has, the row has one.

const ORDER = ['helloFirst', 'ehloFirst', 'mailFirst', 'rcptFirst', 'nestedMail', 'inTransaction', 'chunksOpen'];
const COMMANDS = ['greeted', 'ready', 'mail', 'rcpt', 'chunks'];

const SECTIONS = {
  server: {
    '5321 2.2.2': [{ on: ['extension'] }],
    '5321 3.1': [{ on: ['accepted', 'rejected', 'no-answer'], from: ['connect'] }, { refuse: ['onlyQuit'] }],
    '5321 3.8': [{ on: ['leave', 'content-not-taken', 'end', 'stalled', 'lost', 'no-answer'] }],
    '5321 4.1.1.1': [{ on: ['EHLO', 'HELO'] }],
    '5321 4.1.1.2': [{ on: ['MAIL'] }],
    '5321 4.1.1.3': [{ on: ['RCPT'] }],
    '5321 4.1.1.4': [{ on: ['DATA', 'end-of-data'] }, { on: ['accepted', 'rejected'], from: ['message'] }],
    '5321 4.1.1.5': [{ on: ['RSET'] }],
    '5321 4.1.1.6': [{ on: ['VRFY'] }],
    '5321 4.1.1.7': [{ on: ['EXPN'] }],
    '5321 4.1.1.8': [{ on: ['HELP'] }],
    '5321 4.1.1.9': [{ on: ['NOOP'] }],
    '5321 4.1.1.10': [{ on: ['QUIT'] }],
    '5321 4.1.4': [{ refuse: ORDER }],
    '5321 4.2.4': [{ refuse: ['unknownVerb', 'notImplemented'] }],
    '5321 4.2.5': [{ on: ['refuse-message', 'end-of-data'] }, { on: ['accepted', 'rejected'], from: ['message'] }],
    '5321 4.3.1': [
      { on: ['time-out'], from: ['wait', 'greeting'] },
      { on: ['accepted'], from: ['connect'] },
    ],
    '5321 4.3.2': [{ on: ['fault', 'other-protocol', 'too-much'] }, { on: ['rejected'], from: ['connect', ...COMMANDS] }],
    '5321 4.5.3.2.7': [{ on: ['time-out'], from: COMMANDS }, { on: ['stalled'] }],
    '5321 F.1': [{ on: ['TURN'] }],
    '5321 F.6': [{ on: ['SEND', 'SOML', 'SAML'] }],
    '1985 5': [{ on: ['ETRN'] }],
    '2033 4.1': [{ on: ['LHLO'] }],
    '2033 4.2': [{ on: ['accepted', 'rejected'], from: ['message'] }],
    '2645 5.2.1': [{ on: ['ATRN'] }],
    '3030 2': [
      { on: ['BDAT', 'end-of-chunk', 'chunk-refused', 'chunk-drained'] },
      { on: ['accepted', 'rejected'], from: ['chunk'] },
      { refuse: ['chunksOpen'] },
    ],
    '3207 4': [{ on: ['STARTTLS'] }, { on: ['time-out'], from: ['tls'] }],
    '3207 4.2': [{ on: ['secured', 'plaintext'] }],
    '4468 3': [{ on: ['BURL'] }],
    '4954 4': [{ on: ['AUTH', 'response', 'challenged', 'bad-response'] }, { on: ['accepted', 'rejected'], from: ['auth'] }],
  },
  client: {
    '5321 3.1': [{ on: ['greeting', 'greeting refused'] }],
    '5321 3.2': [{ on: ['hello', 'hello refused'] }],
    '5321 3.3': [{ on: ['send', 'transaction-over'] }],
    '5321 3.8': [{ on: ['close'] }],
    '5321 4.1.1.1': [{ on: ['hello', 'hello refused'] }],
    '5321 4.1.1.5': [{ on: ['RSET', 'RSET refused'] }],
    '5321 4.1.1.6': [{ on: ['command', 'answer'] }],
    '5321 4.1.1.7': [{ on: ['command', 'answer'] }],
    '5321 4.1.1.8': [{ on: ['command', 'answer'] }],
    '5321 4.1.1.9': [{ on: ['command', 'answer'] }],
    '5321 4.1.1.10': [{ on: ['QUIT'] }, { on: ['next'], effects: ['sayQuit'] }],
    '2033 4.1': [{ on: ['hello', 'hello refused'] }],
    '2920 3.1': [{ guards: ['transactionsPipelined'] }],
    '3030 2': [{ on: ['command'], guards: ['halfOpen'] }],
    '3207 4': [{ on: ['next'], from: ['greeted'] }, { on: ['starttls', 'STARTTLS', 'STARTTLS refused'] }],
    '3207 4.1': [{ on: ['STARTTLS refused', 'secured'] }],
    '3207 4.2': [{ on: ['secured'] }],
    '4954 4': [{ on: ['authenticate', 'AUTH challenge', 'respond', 'cancel', 'AUTH', 'AUTH refused'] }],
    '9422 3': [{ guards: ['transactionsLeft'] }],
  },
  transaction: {
    '5321 3.3': [{ on: ['say'] }],
    '5321 3.8': [{ on: ['abort', 'early refused'] }],
    '5321 4.1.1.2': [{ on: ['MAIL', 'MAIL refused'] }, { effects: ['sayMail'] }],
    '5321 4.1.1.3': [{ on: ['RCPT', 'RCPT refused'] }, { effects: ['sayRcpt'] }],
    '5321 4.1.1.4': [{ on: ['DATA', 'DATA refused', 'end', 'handed', 'END', 'END refused'] }, { effects: ['sayData'] }],
    '5321 4.1.1.5': [{ on: ['RSET', 'RSET refused'] }, { effects: ['sayRset'] }],
    '5321 4.5.3.1.10': [{ guards: ['tooMany'] }],
    '2033 4.2': [{ guards: ['moreEnds', 'lastEnd'] }],
    '2920 3.1': [{ guards: ['dataPipelined'] }, { on: ['DATA'] }],
    '3030 2': [{ on: ['BDAT', 'BDAT refused'] }, { guards: ['byBdat', 'chunkMissing'] }, { from: ['stopped'] }],
  },
};

/** The sections of a row of one of the tables: `[5321, '4.1.1.3']`. */
export function sectionsOf(table, row) {
  const found = Object.entries(SECTIONS[table]).filter(([, patterns]) => patterns.some((pattern) => fits(pattern, row)));
  return found.map(([place]) => place.split(' '));
}

function fits(pattern, row) {
  return Object.entries(pattern).every(([name, wanted]) => [row[name]].flat().some((one) => wanted.includes(one)));
}
