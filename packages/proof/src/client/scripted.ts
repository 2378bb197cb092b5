import type { ClientEvent, ClientOptions, Outcome, TlsInfo } from '@ehlo/engine';
import { latin1, octets } from '@ehlo/grammar';
import { type ClientClass, type Errand, Sender } from './sender.ts';

/**
 * What a scripted server says: to the connection (`GREETING`), to each verb, to a line of an AUTH exchange (`RESPONSE`), to the end of a message
 * (`END`), and in the middle of one (`BODY`, when its first octets have come). Each list is gone through in turn; its last entry is said
 * from then on. A text without a line end gets CRLF. `<close>`, `<lost>` and `<silence>` at the end of a text are what happens then; `<tls>` is a handshake.
 */
export type ServerScript = { readonly [verb in ScriptVerb]?: readonly string[] };

export type ScriptVerb =
  | 'GREETING'
  | 'EHLO'
  | 'HELO'
  | 'LHLO'
  | 'STARTTLS'
  | 'AUTH'
  | 'RESPONSE'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'BODY'
  | 'BDAT'
  | 'END'
  | 'RSET'
  | 'NOOP'
  | 'VRFY'
  | 'QUIT';

/** What a server says that does nothing wrong. */
export const PLAIN: ServerScript = {
  GREETING: ['220 mx.example.net ESMTP'],
  EHLO: ['250 mx.example.net'],
  HELO: ['250 mx.example.net'],
  LHLO: ['250 mx.example.net'],
  STARTTLS: ['220 go ahead<tls>'],
  AUTH: ['235 welcome'],
  RESPONSE: ['235 welcome'],
  MAIL: ['250 ok'],
  RCPT: ['250 ok'],
  DATA: ['354 go on'],
  BODY: [''],
  BDAT: ['250 ok'],
  END: ['250 taken'],
  RSET: ['250 ok'],
  NOOP: ['250 ok'],
  VRFY: ['252 perhaps'],
  QUIT: ['221 bye<close>'],
};

export interface Play {
  readonly client: ClientOptions;
  readonly errand: Errand;
  readonly script: ServerScript;
  /** Where the octets of the server are cut; between two pieces the client does what it can. */
  readonly cut?: (text: string, already: number) => readonly string[];
  readonly Client: ClientClass;
}

export interface Played {
  readonly events: readonly ClientEvent[];
  readonly outcomes: readonly (readonly (Outcome | undefined)[])[];
  /** What the client has sent, before TLS and under it. */
  readonly clear: string;
  readonly secured: string;
  /** Octets that the server has said. */
  readonly said: number;
  /** Milliseconds that passed while nobody said anything. */
  readonly waited: number;
}

export const VERIFIED: TlsInfo = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  servername: 'mx.example.net',
  peerCertificate: { subject: 'mx.example.net', altNames: 'DNS:mx.example.net', fingerprint256: '', authorized: true },
};

const END = /<(close|lost|silence|tls)>$/;

/** Lets a client do its errand with a scripted server, until its session is over. */
export function play({ client, errand, script, cut = (text): string[] => [text], Client }: Play): Played {
  const sender = new Sender(new Client(client), errand);
  const { session } = sender;
  const turns = new Map<ScriptVerb, number>();
  const wire = { clear: '', secured: '' };
  let unread = '';
  let mode: 'commands' | 'auth' | 'data' = 'commands';
  let data = 0; // octets of the message so far; -1: none, and nothing has been said in the middle of it
  let secured = false;
  let said = 0;
  let now = 0;
  let over = false;

  const pump = (): void => {
    session.tick(now);
    for (const bytes of sender.pump(1)) {
      const text = latin1(bytes, 0, bytes.length);
      wire[secured ? 'secured' : 'clear'] += text;
      unread += text;
    }
    if (session.wants === 'tls' && pendingTls) {
      pendingTls = false;
      secured = true;
      session.secured(VERIFIED);
      pump();
    }
  };
  let pendingTls = false;

  const say = (verb: ScriptVerb): string => {
    const texts = script[verb] ?? PLAIN[verb]!;
    const turn = turns.get(verb) ?? 0;
    turns.set(verb, turn + 1);
    const whole = texts[Math.min(turn, texts.length - 1)]!;
    const what = END.exec(whole)?.[1];
    const text = whole.replace(END, '');
    const line = text === '' || text.includes('\n') ? text : `${text}\r\n`;
    pendingTls = what === 'tls';
    for (const piece of cut(line, said)) {
      session.tick(now);
      session.receive(octets(piece));
      pump();
    }
    said += line.length;
    if (what === 'close') session.receiveEnd();
    if (what === 'lost') session.lost();
    over = what === 'close' || what === 'lost' || what === 'silence';
    pump();
    return line;
  };

  pump();
  say('GREETING');
  for (let turn = 0; !over && session.phase !== 'closed' && turn < 100_000; turn++) {
    const asked = next(unread, mode, data);
    if (asked === null) {
      // One output at a time: a long message is still being sent while it is answered.
      const before = unread.length;
      pump();
      if (unread.length === before) break;
      continue;
    }
    unread = unread.slice(asked.length);
    if (mode === 'data') data += asked.length;
    if (asked.verb === null) continue;
    const answer = say(asked.verb);
    if (asked.verb === 'DATA' && answer.startsWith('3')) {
      mode = 'data';
      data = -1;
    } else if (asked.verb === 'BODY') data = 0;
    else if (asked.verb === 'END') mode = 'commands';
    else if (asked.verb === 'AUTH' || asked.verb === 'RESPONSE') mode = answer.startsWith('334') ? 'auth' : 'commands';
  }
  // Nobody says anything more: time passes.
  for (let ticks = 0; session.phase !== 'closed' && session.deadline < Number.POSITIVE_INFINITY && ticks < 1000; ticks++) {
    now = session.deadline;
    pump();
  }
  pump();
  return { events: sender.events, outcomes: sender.outcomes(), ...wire, said, waited: now };
}

/** What the server reads next: what it is an answer to, and how many octets that takes. Null: not all of it has come. */
function next(
  unread: string,
  mode: 'commands' | 'auth' | 'data',
  data: number,
): { readonly verb: ScriptVerb | null; readonly length: number } | null {
  if (mode === 'data') {
    if (data < 0) return unread === '' ? null : { verb: 'BODY', length: 0 };
    // The first octets of a message are at the beginning of a line.
    if (data === 0 && unread.startsWith('.\r\n')) return { verb: 'END', length: 3 };
    const end = unread.indexOf('\r\n.\r\n');
    if (end >= 0) return { verb: 'END', length: end + 5 };
    return unread.length > 5 ? { verb: null, length: unread.length - 5 } : null;
  }
  const line = unread.slice(0, unread.indexOf('\r\n') + 2);
  if (line.length < 2) return null;
  if (mode === 'auth') return { verb: 'RESPONSE', length: line.length };
  const [verb = '', size = '0', last] = line.trimEnd().toUpperCase().split(' ');
  if (verb !== 'BDAT') return { verb: verb as ScriptVerb, length: line.length };
  const whole = line.length + Number(size);
  return unread.length < whole ? null : { verb: last === 'LAST' ? 'END' : 'BDAT', length: whole };
}
