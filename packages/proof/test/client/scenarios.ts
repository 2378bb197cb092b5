// What servers do that clients have been wrong about; each is played by a scripted server, at every split of what it says.
import { CHUNKING, type ClientOptions, type Outcome } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';
import type { Errand, Job, Played, ServerScript } from '../../src/index.ts';

export interface Scenario {
  readonly name: string;
  readonly client?: Partial<ClientOptions>;
  readonly script?: ServerScript;
  readonly jobs?: readonly Job[];
  readonly auth?: Errand['auth'];
  /** What is told of each recipient of each message: status, then the reply's code or the cause; `-` if nothing was begun. Alternatives by `|`. */
  readonly told: readonly string[];
  /** The cause for which the session is closed. */
  readonly closed: string;
  /** Codes of faults and quirks that must be told. */
  readonly faults?: readonly string[];
  /** What the client must have sent, and never. */
  readonly sends?: RegExp;
  readonly never?: RegExp;
  /** Seconds that it may take, if nobody says anything. */
  readonly within?: number;
}

export const SECRET = 'correct horse';
export const SECRET_BASE64 = 'AGpvZQBjb3JyZWN0IGhvcnNl';

const AUTH: Errand['auth'] = {
  mechanism: 'PLAIN',
  initial: octets(`\0joe\0${SECRET}`),
  responses: [],
  words: { names: ['joe'], secrets: [SECRET] },
};
const PIPELINING = ['250-mx.example.net\r\n250-PIPELINING\r\n250 8BITMIME\r\n'];
const STARTTLS = ['250-mx.example.net\r\n250 STARTTLS\r\n', '250-mx.example.net\r\n250 AUTH PLAIN LOGIN\r\n'];

export function mail(to: readonly string[] = ['ann@b.example'], text = 'Subject: x\r\n\r\nhello\r\n', facts: Job['facts'] = {}): Job {
  return {
    envelope: { reversePath: 'joe@a.example', recipients: to.map((forwardPath) => ({ forwardPath })) },
    facts,
    pieces: [octets(text)],
  };
}

const CHUNKS = ['250-mx.example.net\r\n250 CHUNKING\r\n'];
const TWO = mail(['ann@b.example', 'bob@b.example']);
const THREE = mail(['ann@b.example', 'bob@b.example', 'cid@b.example']);
const LARGE = { ...mail(), pieces: Array.from({ length: 60 }, () => octets(`${'x'.repeat(70)}\r\n`.repeat(1000))) };

export const SCENARIOS: readonly Scenario[] = [
  { name: 'nothing is wrong', told: ['accepted 250'], closed: 'quit', never: /RSET/ },
  // The message
  {
    name: 'the message holds its own end and more commands',
    jobs: [mail(['ann@b.example'], 'a\r\n.\r\nMAIL FROM:<x@y>\r\nRCPT TO:<evil@e.example>\r\nDATA\r\nb\r\n.\r\n')],
    told: ['accepted 250'],
    closed: 'quit',
    sends: /\r\na\r\n\.\.\r\nMAIL FROM:<x@y>\r\nRCPT TO:<evil@e.example>\r\nDATA\r\nb\r\n\.\.\r\n\.\r\nQUIT\r\n$/,
  },
  {
    name: 'the message has dots behind bare CR and LF',
    jobs: [mail(['ann@b.example'], 'a\n.\nb\r.\rc\n.\r\n.')],
    told: ['accepted 250'],
    closed: 'quit',
    sends: /\r\na\r\n\.\.\r\nb\r\n\.\.\r\nc\r\n\.\.\r\n\.\.\r\n\.\r\nQUIT\r\n$/,
    never: /[^\r]\n|\r[^\n]/,
  },
  {
    name: 'the message has a bare LF, and must not be changed',
    client: { newlines: 'refuse' },
    jobs: [mail(['ann@b.example'], 'a\nb')],
    told: ['unsent bare-line-end'],
    closed: 'bare-line-end',
    never: /\r\n\.\r\n/,
  },
  {
    name: 'the message is empty',
    jobs: [mail(['ann@b.example'], '')],
    told: ['accepted 250'],
    closed: 'quit',
    sends: /DATA\r\n\.\r\nQUIT\r\n$/,
  },
  // TLS
  {
    name: 'STARTTLS is refused, and TLS is required',
    client: { starttls: 'required' },
    auth: AUTH,
    script: { EHLO: STARTTLS, STARTTLS: ['454 not now'] },
    told: ['-'],
    closed: 'tls',
    sends: /STARTTLS\r\nQUIT\r\n$/,
    never: /AUTH|MAIL/,
  },
  {
    name: 'STARTTLS is refused, and TLS is not required',
    script: { EHLO: STARTTLS, STARTTLS: ['454 not now'] },
    told: ['accepted 250'],
    closed: 'quit',
    never: /STARTTLS.*STARTTLS/s,
  },
  {
    name: 'STARTTLS is taken out of the answer to EHLO, and TLS is required',
    client: { starttls: 'required' },
    auth: AUTH,
    script: { EHLO: ['250-mx.example.net\r\n250 AUTH PLAIN\r\n'] },
    told: ['-'],
    closed: 'tls',
    never: /AUTH|MAIL/,
  },
  {
    name: 'EHLO is refused, and TLS is required',
    client: { starttls: 'required' },
    script: { EHLO: ['502 what?'] },
    told: ['-'],
    closed: 'refused',
    never: /HELO/,
  },
  {
    name: 'replies are injected behind the answer to STARTTLS',
    client: { starttls: 'required' },
    auth: AUTH,
    script: { EHLO: STARTTLS, STARTTLS: ['220 go ahead\r\n250-evil\r\n250 AUTH PLAIN\r\n'] },
    told: ['-'],
    closed: 'fault',
    faults: ['plaintext-after-starttls'],
    never: /AUTH|MAIL/,
  },
  {
    name: 'half a reply is injected behind the answer to STARTTLS',
    script: { EHLO: STARTTLS, STARTTLS: ['220 go ahead\r\n25'] },
    told: ['-'],
    closed: 'fault',
    faults: ['plaintext-after-starttls'],
    never: /MAIL/,
  },
  {
    name: 'credentials go under TLS only',
    client: { starttls: 'required' },
    auth: AUTH,
    script: { EHLO: STARTTLS },
    told: ['accepted 250'],
    closed: 'quit',
    sends: new RegExp(`STARTTLS\\r\\nEHLO client.example.org\\r\\nAUTH PLAIN ${SECRET_BASE64}\\r\\nMAIL`),
  },
  {
    name: 'what was offered in clear is forgotten under TLS',
    script: { EHLO: ['250-mx.example.net\r\n250-PIPELINING\r\n250-SIZE 10\r\n250 STARTTLS\r\n', '250 mx.example.net'] },
    jobs: [mail(['ann@b.example', 'bob@b.example'], 'x\r\n'.repeat(20), { size: 60 })],
    told: ['accepted 250', 'accepted 250'],
    closed: 'quit',
    never: /SIZE/,
  },
  {
    name: 'EHLO is refused under TLS',
    script: { EHLO: [STARTTLS[0]!, '550 go away'] },
    told: ['-'],
    closed: 'refused',
    never: /MAIL/,
  },
  // Replies
  {
    name: 'a reply has two codes, the better one first',
    script: { RCPT: ['250-ok\r\n550 no\r\n'] },
    told: ['refused 550'],
    closed: 'quit',
    faults: ['mixed-codes'],
  },
  {
    name: 'a reply has two codes, the worse one first',
    script: { RCPT: ['550-no\r\n250 ok\r\n'] },
    told: ['refused 550'],
    closed: 'quit',
    faults: ['mixed-codes'],
  },
  {
    name: 'a reply has two codes, and replies are strict',
    client: { replies: 'strict' },
    script: { RCPT: ['250-ok\r\n550 no\r\n'] },
    told: ['unsent fault'],
    closed: 'fault',
    faults: ['mixed-codes'],
  },
  {
    name: 'a reply says both that it is done and to go on',
    script: { DATA: ['250-ok\r\n354 go on\r\n'] },
    told: ['unsent fault'],
    closed: 'fault',
    faults: ['mixed-codes'],
    never: /hello/,
  },
  {
    name: 'a reply too many to MAIL',
    script: { MAIL: ['250 ok\r\n250 ok\r\n'] },
    told: ['unsent fault'],
    closed: 'fault',
    never: /\r\n\.\r\n/,
  },
  {
    name: 'a reply too many to RCPT',
    script: { RCPT: ['250 ok\r\n250 ok\r\n'] },
    told: ['unsent fault'],
    closed: 'fault',
    never: /\r\n\.\r\n/,
  },
  {
    name: 'a reply too many to EHLO',
    script: { EHLO: ['250 mx.example.net\r\n250 mx.example.net\r\n'] },
    told: ['-|unsent fault'],
    closed: 'fault',
    never: /\r\n\.\r\n/,
  },
  {
    name: 'a reply too many in a pipelined group',
    client: { pipelining: 'data' },
    script: { EHLO: PIPELINING, RCPT: ['250 ok\r\n250 ok\r\n', '550 no'] },
    jobs: [TWO],
    told: ['unsent fault|refused 550', 'unsent fault|refused 550'],
    closed: 'fault',
    never: /\r\n\.\r\n/,
  },
  {
    name: 'a positive answer in the middle of the message',
    script: { BODY: ['250 ok'] },
    jobs: [LARGE],
    told: ['unsent fault'],
    closed: 'fault',
  },
  {
    name: 'garbage before a reply',
    script: { RCPT: ['*** what ***\r\n250 ok\r\n'] },
    told: ['unsent fault'],
    closed: 'fault',
    faults: ['malformed-reply'],
  },
  {
    name: 'replies without text',
    script: { MAIL: ['250\r\n'], RCPT: ['250\r\n'], END: ['250 \r\n'] },
    told: ['accepted 250'],
    closed: 'quit',
  },
  {
    name: 'replies that end with LF alone',
    script: { EHLO: ['250-mx.example.net\n250 8BITMIME\n'], RCPT: ['250 ok\n'] },
    told: ['accepted 250'],
    closed: 'quit',
    faults: ['bare-lf-line'],
  },
  {
    name: 'a reply that ends with LF alone, and replies are strict',
    client: { replies: 'strict' },
    script: { RCPT: ['250 ok\n'] },
    told: ['unsent fault'],
    closed: 'fault',
    faults: ['bare-lf-line'],
  },
  {
    name: 'UTF-8 and NUL in a reply',
    script: { RCPT: ['250 caf\xc3\xa9 \0\r\n'] },
    told: ['accepted 250'],
    closed: 'quit',
    faults: ['odd-text'],
  },
  { name: 'a code that nobody knows', script: { RCPT: ['571 no'] }, told: ['refused 571'], closed: 'quit' },
  { name: '251 to RCPT', script: { RCPT: ['251 will forward'] }, told: ['accepted 250'], closed: 'quit' },
  { name: '354 to MAIL', script: { MAIL: ['354 go on'] }, told: ['unsent fault'], closed: 'fault', faults: ['unexpected-code'] },
  {
    name: '250 to DATA',
    script: { DATA: ['250 ok'] },
    told: ['unsent fault'],
    closed: 'fault',
    faults: ['unexpected-code'],
    never: /hello/,
  },
  {
    name: 'a line of a reply without end',
    client: { limits: { replyLine: 600 } },
    script: { RCPT: [`250 ${'x'.repeat(700)}\r\n`] },
    told: ['unsent fault'],
    closed: 'fault',
    faults: ['reply-too-long'],
  },
  {
    name: 'lines of a reply without end',
    client: { limits: { replyLines: 50 } },
    script: { RCPT: ['250-x\r\n'.repeat(60)] },
    told: ['unsent fault'],
    closed: 'fault',
    faults: ['reply-too-long'],
  },
  // Hello
  { name: 'the greeting is a refusal', script: { GREETING: ['554 no service'] }, told: ['-'], closed: 'refused', sends: /^QUIT\r\n$/ },
  { name: 'the greeting is 421', script: { GREETING: ['421 busy<close>'] }, told: ['-'], closed: 'closing' },
  { name: 'no greeting', script: { GREETING: ['<silence>'] }, told: ['-'], closed: 'timeout', within: 300 },
  {
    name: 'TLS instead of a greeting',
    script: { GREETING: ['\x15\x03\x01\0\x02\x02\n\r\n'] },
    told: ['-'],
    closed: 'fault',
    faults: ['speaks-tls'],
  },
  {
    name: 'HTTP instead of a greeting',
    script: { GREETING: ['HTTP/1.1 400 Bad Request\r\n'] },
    told: ['-'],
    closed: 'fault',
    faults: ['malformed-reply'],
  },
  {
    name: 'an old server',
    script: { EHLO: ['500 what?'] },
    jobs: [mail(['ann@b.example'], 'hello\r\n', { size: 7 })],
    told: ['accepted 250'],
    closed: 'quit',
    sends: /^EHLO client.example.org\r\nHELO client.example.org\r\nMAIL FROM:<joe@a.example>\r\n/,
  },
  {
    name: 'keywords where they do not count',
    script: {
      GREETING: ['220 mx.example.net PIPELINING SMTPUTF8'],
      EHLO: ['250-mx.example.net 8BITMIME PIPELINING\r\n250-X-8BITMIME\r\n250-X PIPELINING\r\n250 XSMTPUTF8\r\n'],
    },
    jobs: [mail(['ann@b.example'], 'caf\xe9\r\n', { body: '8BITMIME' }), mail(['jos\u00e9@b.example'])],
    told: ['refused 8bitmime', 'refused smtputf8'],
    closed: 'quit',
    never: /MAIL/,
  },
  // What the server has said before
  {
    name: 'an address in UTF-8, and no SMTPUTF8',
    jobs: [mail(['jos\u00e9@b.example'])],
    told: ['refused smtputf8'],
    closed: 'quit',
    never: /MAIL/,
  },
  {
    name: 'one of two addresses in UTF-8, and no SMTPUTF8',
    jobs: [mail(['jos\u00e9@b.example', 'ann@b.example'])],
    told: ['refused smtputf8', 'accepted 250'],
    closed: 'quit',
    never: /jos/,
  },
  {
    name: 'a message larger than the server takes',
    script: { EHLO: ['250-mx.example.net\r\n250 SIZE 100\r\n'] },
    jobs: [mail(['ann@b.example'], 'x', { size: 101 })],
    told: ['refused too-large'],
    closed: 'quit',
    never: /MAIL/,
  },
  {
    name: 'an octet beyond ASCII that nobody said',
    jobs: [mail(['ann@b.example'], 'caf\xe9\r\n')],
    told: ['unsent declaration'],
    closed: 'declaration',
    never: /caf|\r\n\.\r\n/,
  },
  {
    name: 'more recipients than the server takes',
    script: { EHLO: ['250-mx.example.net\r\n250 LIMITS RCPTMAX=1\r\n'] },
    jobs: [TWO],
    told: ['accepted 250', 'unsent limits'],
    closed: 'quit',
    never: /bob/,
  },
  {
    name: 'more messages than the server takes',
    script: { EHLO: ['250-mx.example.net\r\n250 LIMITS MAILMAX=1\r\n'] },
    jobs: [mail(), mail()],
    told: ['accepted 250', '-'],
    closed: 'quit',
    never: /MAIL.*MAIL/s,
  },
  // The transaction
  {
    name: 'some recipients are refused',
    jobs: [THREE],
    script: { RCPT: ['250 ok', '550 no', '450 later'] },
    told: ['accepted 250', 'refused 550', 'refused 450'],
    closed: 'quit',
  },
  {
    name: 'too many recipients',
    jobs: [THREE],
    script: { RCPT: ['250 ok', '452 too many'] },
    told: ['accepted 250', 'unsent limits', 'unsent limits'],
    closed: 'quit',
  },
  {
    name: 'all recipients are refused, and DATA is taken all the same',
    client: { pipelining: 'data' },
    jobs: [TWO],
    script: { EHLO: PIPELINING, RCPT: ['550 no'], END: ['554 nobody'] },
    told: ['refused 550', 'refused 550'],
    closed: 'quit',
    sends: /DATA\r\n\.\r\nQUIT\r\n$/,
  },
  {
    name: 'MAIL is refused, and DATA is taken all the same',
    client: { pipelining: 'data' },
    script: { EHLO: PIPELINING, MAIL: ['550 no'], RCPT: ['503 no'] },
    told: ['refused 550'],
    closed: 'fault',
    never: /DATA\r\n./,
  },
  {
    name: 'a transaction that came to nothing',
    jobs: [mail(), mail()],
    script: { RCPT: ['550 no', '250 ok'] },
    told: ['refused 550', 'accepted 250'],
    closed: 'quit',
    sends: /^EHLO[^\n]+\nMAIL[^\n]+\nRCPT[^\n]+\nRSET\r\nMAIL/,
  },
  {
    name: 'RSET is refused',
    jobs: [mail(), mail()],
    script: { RCPT: ['550 no', '250 ok'], RSET: ['500 what?'] },
    told: ['refused 550', 'unsent refused'],
    closed: 'refused',
    never: /hello/,
  },
  {
    name: 'a refusal in the middle of the message',
    jobs: [LARGE],
    script: { BODY: ['552 too much<lost>'] },
    told: ['refused 552'],
    closed: 'refused',
    never: /\r\n\.\r\n/,
  },
  {
    name: '421 in the middle of the message',
    jobs: [LARGE],
    script: { BODY: ['421 down<close>'] },
    told: ['unsent closing'],
    closed: 'closing',
    never: /\r\n\.\r\n/,
  },
  {
    name: '421 to RCPT',
    jobs: [TWO],
    script: { RCPT: ['421 down<close>'] },
    told: ['unsent closing', 'unsent closing'],
    closed: 'closing',
  },
  { name: '421 to the message', script: { END: ['421 down<close>'] }, told: ['refused 421'], closed: 'closing' },
  { name: 'the connection ends behind RCPT', script: { RCPT: ['250 ok<close>'] }, told: ['unsent ended'], closed: 'ended' },
  {
    name: 'the connection ends in the middle of the message',
    jobs: [LARGE],
    script: { BODY: ['<lost>'] },
    told: ['unsent lost'],
    closed: 'lost',
    never: /\r\n\.\r\n/,
  },
  { name: 'the connection ends behind the message', script: { END: ['<close>'] }, told: ['unknown ended'], closed: 'ended' },
  { name: 'the connection is reset behind the message', script: { END: ['<lost>'] }, told: ['unknown lost'], closed: 'lost' },
  {
    name: 'the connection ends in the answer to the message',
    script: { END: ['250-taken\r\n25<lost>'] },
    told: ['unknown lost'],
    closed: 'lost',
  },
  { name: 'no answer to the message', script: { END: ['<silence>'] }, told: ['unknown timeout'], closed: 'timeout', within: 600 },
  { name: 'no answer to DATA', script: { DATA: ['<silence>'] }, told: ['unsent timeout'], closed: 'timeout', within: 120 },
  { name: 'no answer to QUIT', script: { QUIT: ['<silence>'] }, told: ['accepted 250'], closed: 'quit', within: 5 },
  { name: 'the connection ends instead of an answer to QUIT', script: { QUIT: ['<lost>'] }, told: ['accepted 250'], closed: 'quit' },
  {
    name: 'the connection ends with a message answered and one behind it',
    client: { pipelining: 'transactions' },
    jobs: [mail(), mail()],
    script: { EHLO: PIPELINING, END: ['250 taken<lost>'] },
    told: ['accepted 250', 'unsent lost'],
    closed: 'lost',
    sends: /\r\n\.\r\nMAIL FROM:<joe@a.example> BODY=8BITMIME\r\nRCPT TO:<ann@b.example>\r\nDATA\r\n$/,
  },
  {
    name: 'the connection ends with a message not answered and one behind it',
    client: { pipelining: 'transactions' },
    jobs: [mail(), mail()],
    script: { EHLO: PIPELINING, END: ['<lost>'] },
    told: ['unknown lost', 'unsent lost'],
    closed: 'lost',
  },
  // BDAT
  {
    name: 'a message in chunks',
    client: { features: [CHUNKING] },
    jobs: [mail(['ann@b.example'], 'a\r\n.\r\n'), mail()],
    script: { EHLO: CHUNKS },
    told: ['accepted 250', 'accepted 250'],
    closed: 'quit',
    sends: /\r\nBDAT 6 LAST\r\na\r\n\.\r\nMAIL/,
    never: /RSET/,
  },
  {
    name: 'a chunk is refused',
    client: { features: [CHUNKING] },
    jobs: [LARGE, mail()],
    script: { EHLO: CHUNKS, BDAT: ['552 too much'], END: ['250 taken'] },
    told: ['refused 552', 'accepted 250'],
    closed: 'quit',
    sends: /BDAT 65536\r\n[^B]*RSET\r\nMAIL/,
  },
  {
    name: 'the last chunk is refused',
    client: { features: [CHUNKING] },
    jobs: [mail(), mail()],
    script: { EHLO: CHUNKS, END: ['451 later', '250 taken'] },
    told: ['refused 451', 'accepted 250'],
    closed: 'quit',
    sends: /hello\r\nRSET\r\nMAIL/,
  },
  {
    name: 'the connection ends behind the last chunk',
    client: { features: [CHUNKING] },
    script: { EHLO: CHUNKS, END: ['<close>'] },
    told: ['unknown ended'],
    closed: 'ended',
  },
  {
    name: 'the connection ends behind a chunk',
    client: { features: [CHUNKING] },
    jobs: [LARGE],
    script: { EHLO: CHUNKS, BDAT: ['250 ok', '<close>'] },
    told: ['unsent ended'],
    closed: 'ended',
  },
  // LMTP
  {
    name: 'LMTP: an answer for each recipient that was accepted',
    client: { protocol: 'lmtp' },
    jobs: [THREE],
    script: { RCPT: ['250 ok', '550 no', '250 ok'], END: ['250 taken\r\n452 full\r\n'] },
    told: ['accepted 250', 'refused 550', 'refused 452'],
    closed: 'quit',
    sends: /^LHLO/,
  },
  {
    name: 'LMTP: the connection ends between two answers',
    client: { protocol: 'lmtp' },
    jobs: [TWO],
    script: { END: ['250 taken\r\n<lost>'] },
    told: ['accepted 250', 'unknown lost'],
    closed: 'lost',
  },
  // AUTH
  {
    name: 'AUTH is refused, and the refusal repeats the credentials',
    client: { credentials: 'cleartext', trace: true },
    auth: AUTH,
    script: { EHLO: ['250-mx.example.net\r\n250 AUTH PLAIN\r\n'], AUTH: [`535 not AUTH PLAIN ${SECRET_BASE64}`] },
    told: ['-'],
    closed: 'quit',
    never: /MAIL/,
  },
  {
    name: 'AUTH is refused, and the refusal repeats what the credentials say',
    client: { credentials: 'cleartext', trace: true },
    auth: AUTH,
    script: { EHLO: ['250-mx.example.net\r\n250 AUTH PLAIN\r\n'], AUTH: [`535 joe has not the password ${SECRET}`] },
    told: ['-'],
    closed: 'quit',
    never: /MAIL/,
  },
  {
    name: 'a reply begins in the middle of a message and ends behind it: the next message has its own',
    jobs: [mail(), mail()],
    script: { DATA: ['354 go on\r\n45', '354 go on'], END: ['1 later', '250 taken'] },
    told: ['refused 451', 'accepted 250'],
    closed: 'quit',
  },
  {
    name: 'a challenge that is no base64',
    client: { credentials: 'cleartext', trace: true },
    auth: { mechanism: 'LOGIN', initial: null, responses: [octets(SECRET)] },
    script: { EHLO: ['250-mx.example.net\r\n250 AUTH LOGIN\r\n'], AUTH: ['334 !'], RESPONSE: ['501 cancelled'] },
    told: ['-'],
    closed: 'quit',
    faults: ['base64'],
    sends: /AUTH LOGIN\r\n\*\r\n/,
  },
  {
    name: 'challenges without end',
    client: { credentials: 'cleartext', limits: { challenges: 3 } },
    auth: { mechanism: 'LOGIN', initial: null, responses: [octets('joe'), octets('joe'), octets('joe'), octets('joe')] },
    script: {
      EHLO: ['250-mx.example.net\r\n250 AUTH LOGIN\r\n'],
      AUTH: ['334 VXNlcg=='],
      RESPONSE: ['334 VXNlcg==', '334 VXNlcg==', '334 VXNlcg==', '501 cancelled'],
    },
    told: ['-'],
    closed: 'quit',
    faults: ['too-many-challenges'],
    sends: /(am9l\r\n){3}\*\r\n/,
  },
  {
    name: 'success after the exchange was cancelled',
    client: { credentials: 'cleartext' },
    auth: { mechanism: 'LOGIN', initial: null, responses: [null] },
    script: { EHLO: ['250-mx.example.net\r\n250 AUTH LOGIN\r\n'], AUTH: ['334 '], RESPONSE: ['235 welcome'] },
    told: ['-'],
    closed: 'fault',
    faults: ['unexpected-code'],
    never: /MAIL/,
  },
  {
    name: 'an initial response that is too long for the AUTH line',
    client: { credentials: 'cleartext', trace: true },
    auth: { mechanism: 'XOAUTH2', initial: octets(SECRET.repeat(40)), responses: [] },
    script: { EHLO: ['250-mx.example.net\r\n250 AUTH XOAUTH2\r\n'], AUTH: ['334 '] },
    told: ['accepted 250'],
    closed: 'quit',
    sends: /AUTH XOAUTH2\r\nY29ycmVjd/,
  },
  {
    name: 'an initial response of no octets',
    client: { credentials: 'cleartext' },
    auth: { mechanism: 'EXTERNAL', initial: octets(''), responses: [] },
    script: { EHLO: ['250-mx.example.net\r\n250 AUTH EXTERNAL\r\n'] },
    told: ['accepted 250'],
    closed: 'quit',
    sends: /AUTH EXTERNAL =\r\n/,
  },
];

/** What was told of each recipient, in a word or two. */
export function told({ outcomes }: Played): string[] {
  return outcomes.flat().map((outcome) => (outcome === undefined ? '-' : `${outcome.status} ${reason(outcome)}`));
}

function reason(outcome: Outcome): string | number {
  if (outcome.status === 'accepted') return outcome.reply.code;
  return outcome.status === 'refused' ? (outcome.reply?.code ?? outcome.problem!.code) : outcome.cause;
}
