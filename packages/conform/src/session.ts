import type { Stage } from './check.ts';
import { expand, toBytes, type Variables } from './octets.ts';
import { type Reply, ReplyReader } from './reply.ts';
import { patienceOf, type Target } from './target.ts';
import type { Nothing, Wire } from './wire.ts';

/** A line of a dialogue, in latin1; of the examiner (`client`), of who is examined (`server`), or what happened to the connection. */
export interface DialogueLine {
  readonly from: 'client' | 'server' | 'connection';
  readonly text: string;
}

/** A session did not get as far as a check begins. */
export class Stuck extends Error {}

/** Beyond this, what is sent or received is not shown to its end. */
const SHOWN_OCTETS = 600;
/** An end is not worth waiting for. */
const FAREWELL_MS = 2000;

/** Commands between stages, in order. */
const STAGES: readonly Stage[] = ['connected', 'greeted', 'hello', 'ready', 'mail', 'rcpt', 'data'];
/** Until a server of this protocol is asked for AUTH or a transaction. */
const MECHANISMS: readonly string[] = ['PLAIN', 'LOGIN'];

/** A session with who is examined: what is said, heard and known. */
export class Session {
  readonly dialogue: DialogueLine[] = [];
  /** The keywords of the last EHLO, with their parameters. */
  keywords: readonly string[] = [];
  /** Those of the first: before TLS. */
  firstKeywords: readonly string[] = [];
  /** A reply of 4yz or 5yz has come. */
  refused = false;
  /** The connection is over, or was given up. */
  over = false;
  readonly #wire: Wire;
  readonly #target: Target;
  readonly #reader: ReplyReader;
  #variables: Variables;
  /** 354 was the last reply: what is sent is content. */
  #inContent = false;
  #asked = false;

  constructor(wire: Wire, target: Target) {
    this.#wire = wire;
    this.#target = target;
    this.#reader = new ReplyReader(wire);
    this.#variables = variablesOf(target, wire.local);
  }

  /** What `{name}` stands for now. */
  get variables(): Variables {
    return this.#variables;
  }

  /** Sends octets, and shows them without secrets. */
  async say(octets: Parameters<typeof expand>[0], cut = false): Promise<void> {
    const bytes = toBytes(expand(octets, this.#variables));
    const shown = expand(octets, this.#variables, true);
    this.#show('client', shown);
    if (/RCPT TO/i.test(shown)) this.#asked = true;
    if (cut) for (let at = 0; at < bytes.length; at++) await this.#wire.write(bytes.subarray(at, at + 1));
    else await this.#wire.write(bytes);
  }

  /** The next reply, or what came instead. */
  async hear(ms: number = patienceOf(this.#target)): Promise<Reply | Nothing> {
    const seen = await this.#reader.next(ms);
    if (typeof seen === 'string') {
      this.over ||= seen !== 'silence';
      this.#show('connection', TOLD[seen]);
      return seen;
    }
    this.#show('server', seen.raw);
    this.refused ||= /^[45]/.test(seen.code);
    this.#inContent = seen.code === '354';
    return seen;
  }

  async wait(ms: number): Promise<void> {
    await this.#wire.wait(ms);
  }

  /** This side is ended. */
  end(): void {
    this.#show('connection', 'this side is ended');
    this.#wire.end();
  }

  /** The connection is given up. */
  reset(): void {
    if (!this.over) this.#show('connection', 'the connection is given up');
    this.over = true;
    this.#wire.reset();
  }

  /** The TLS handshake. Throws Stuck if it fails. */
  async secure(): Promise<void> {
    this.#reader.forget();
    try {
      await this.#wire.secure();
    } catch (error) {
      this.over = true;
      throw new Stuck(`the TLS handshake failed: ${(error as Error).message}`);
    }
    this.#show('connection', 'TLS');
  }

  /** Goes as far as a stage. Throws Stuck where that is refused. */
  async reach(stage: Stage, login: boolean): Promise<void> {
    const last = STAGES.indexOf(stage);
    if (last >= 1) await this.#greeting();
    if (last >= 2) {
      await this.#hello();
      if (this.#target.tls === 'starttls') {
        await this.#ask('STARTTLS', ['220']);
        await this.secure();
        await this.#hello();
      }
    }
    if (last >= 3 && login && this.#target.user !== undefined) await this.#login();
    if (last >= 4) await this.#ask('MAIL FROM:{from}', ['250']);
    if (last >= 5) await this.#ask('RCPT TO:{to}', ['250', '251']);
    if (last >= 6) await this.#ask('DATA', ['354']);
  }

  /** Leaves: a transaction is reset, and content that is not complete stays so. */
  async leave(): Promise<void> {
    if (this.over) return this.#wire.reset();
    if (!this.#inContent) {
      await this.say(this.#asked ? 'RSET\r\nQUIT\r\n' : 'QUIT\r\n');
      for (let i = 0; i < 4 && !this.over; i++) {
        const seen = await this.hear(FAREWELL_MS);
        if (seen === 'silence' || (typeof seen !== 'string' && /^(?:221|421)$/.test(seen.code))) break;
      }
    }
    this.reset();
  }

  async #greeting(): Promise<void> {
    const seen = await this.hear();
    if (typeof seen === 'string' || seen.code !== '220') throw new Stuck(`the greeting is ${nameOf(seen)}`);
    const [, host] = /^([A-Za-z0-9.-]+)(?: |$)/.exec(seen.lines[0]!) ?? [];
    if (host !== undefined) this.#variables = { ...this.#variables, host: { text: host }, ...nobody(this.#target, host) };
  }

  async #hello(): Promise<void> {
    const { lines } = await this.#ask('{hello} {name}', ['250']);
    this.keywords = lines.slice(1).map((line) => line.trim().toUpperCase());
    if (this.firstKeywords.length === 0) this.firstKeywords = this.keywords;
    const limit = /^SIZE ([1-9][0-9]{0,14})$/.exec(this.keywords.find((line) => line.startsWith('SIZE ')) ?? '')?.[1];
    if (limit !== undefined) this.#variables = { ...this.#variables, size: { text: limit }, over: { text: String(Number(limit) + 1) } };
  }

  async #login(): Promise<void> {
    const offered = this.keywords.find((line) => line.startsWith('AUTH '))?.split(/ +/) ?? [];
    const mechanism = MECHANISMS.find((name) => offered.includes(name));
    if (mechanism === 'PLAIN') await this.#ask('AUTH PLAIN {plain}', ['235']);
    else if (mechanism === 'LOGIN') {
      await this.#ask('AUTH LOGIN', ['334']);
      await this.#ask('{user}', ['334']);
      await this.#ask('{password}', ['235']);
    } else throw new Stuck('AUTH PLAIN and AUTH LOGIN are not offered');
  }

  async #ask(command: string, codes: readonly string[]): Promise<Reply> {
    await this.say(`${command}\r\n`);
    const seen = await this.hear();
    if (typeof seen === 'string' || !codes.includes(seen.code))
      throw new Stuck(`${expand(command, this.#variables, true)} is answered by ${nameOf(seen)}`);
    return seen;
  }

  #show(from: DialogueLine['from'], octets: string): void {
    const text = octets.length > SHOWN_OCTETS ? `${octets.slice(0, SHOWN_OCTETS)}… (${octets.length} octets)` : octets;
    this.dialogue.push({ from, text });
  }
}

const TOLD: { readonly [nothing in Nothing]: string } = {
  end: 'the server has closed',
  reset: 'the connection was reset',
  silence: 'nothing came',
};

/** An answer in a word. */
export function nameOf(seen: Reply | Nothing): string {
  if (typeof seen === 'string') return TOLD[seen];
  return seen.code === 'malformed' ? 'what is no reply' : `${seen.code} ${seen.lines[0]!}`.slice(0, 80);
}

function variablesOf(target: Target, local: string): Variables {
  const { protocol, hostname, from = '', to, user } = target;
  const literal = local.includes(':') ? `[IPv6:${local}]` : local === '' ? 'client.example' : `[${local}]`;
  const [first = 'Postmaster', second = first] = to;
  const [, localPart = '', domain = ''] = /^(.*)@([^@]*)$/s.exec(first) ?? [];
  return {
    hello: { text: protocol === 'lmtp' ? 'LHLO' : 'EHLO' },
    name: { text: hostname ?? literal },
    host: { text: 'localhost' },
    from: { text: `<${from}>` },
    to: { text: `<${first}>` },
    'to-two': { text: `<${second}>` },
    local: { text: localPart },
    domain: { text: domain },
    'domain-upper': { text: domain.toUpperCase() },
    ...nobody(target, 'localhost'),
    ...(user === undefined ? {} : credentials(user)),
  };
}

/** An address that nobody has, in a domain that the server may serve. */
function nobody({ to }: Target, host: string): Variables {
  const domain = /@([^@]+)$/.exec(to[0] ?? '')?.[1] ?? host;
  return { nobody: { text: `<no-such-user-c0nf0rm@${domain}>` } };
}

function credentials({ name, password }: { readonly name: string; readonly password: string }): Variables {
  const secret = (text: string) => ({ text: base64(text), secret: true }) as const;
  return { plain: secret(`\0${name}\0${password}`), user: secret(name), password: secret(password) };
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
