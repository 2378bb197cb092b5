// A client that does as RFC 5321 asks, one command at a time; and with each of its flaws one thing that it must not do.
import type { ClientCheck, Task } from '../src/client/check.ts';
import type { Exit } from '../src/client/judge.ts';
import type { Subject } from '../src/client/run.ts';
import { expand, fromBytes } from '../src/octets.ts';
import type { Flaw } from './flaws.ts';
import { Pipe } from './pipe.ts';

/** What the client is set up for. */
export interface Setup {
  readonly tls: boolean;
  readonly auth: boolean;
}

/** Sets the client to work over a pipe. */
export function plainSubject(flaw: Flaw | null = null, setup: Setup = { tls: false, auth: false }): Subject {
  return {
    several: true,
    tellsOfEach: true,
    work: async (task: Task, _: ClientCheck, examine, protocol) => {
      const pipe = new Pipe();
      const client = new Client(pipe, task, flaw, protocol === 'lmtp', setup);
      const [exit] = await Promise.all([client.send().finally(() => pipe.toServer.end('end')), examine(pipe.peer)]);
      return exit;
    },
  };
}

interface Reply {
  readonly code: string;
  readonly lines: readonly string[];
}

/** The connection is gone, or what came is no reply. */
class Lost extends Error {}

const PATIENCE = 20_000;

class Client {
  readonly #pipe: Pipe;
  readonly #task: Task;
  readonly #flaw: Flaw | null;
  readonly #isLmtp: boolean;
  readonly #setup: Setup;
  #buffer = '';
  #keywords: readonly string[] = [];

  constructor(pipe: Pipe, task: Task, flaw: Flaw | null, isLmtp: boolean, setup: Setup) {
    this.#pipe = pipe;
    this.#task = task;
    this.#flaw = flaw;
    this.#isLmtp = isLmtp;
    this.#setup = setup;
  }

  #has(...flaws: readonly Flaw[]): boolean {
    return flaws.some((flaw) => this.#flaw === flaw);
  }

  async send(): Promise<Exit> {
    try {
      const sent = await this.#session();
      return sent || this.#has('tells-success-always') ? 0 : 1;
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      return this.#has('tells-success-when-lost', 'takes-an-end-for-success', 'takes-a-close-for-success') ? 0 : 1;
    }
  }

  async #session(): Promise<boolean> {
    if (this.#has('speaks-first')) this.#say('NOOP');
    const greeting = await this.#reply();
    if (greeting.code !== '220' && !this.#has('goes-on-behind-554')) return await this.#leave(greeting, false);
    const hello = await this.#hello();
    if (!hello.code.startsWith('2')) return await this.#leave(hello, false);
    if (this.#setup.tls && !(await this.#secured())) return await this.#quit(false);
    if (this.#setup.auth && !this.#has('sends-mail-before-auth') && !(await this.#authenticated())) return await this.#quit(false);
    return await this.#transaction();
  }

  /** Asks for TLS; whether the session may go on. */
  async #secured(): Promise<boolean> {
    if (!this.#offers('STARTTLS')) return this.#has('goes-on-in-clear');
    if (this.#has('pipelines-behind-starttls')) this.#say('STARTTLS\r\nNOOP');
    else this.#say(this.#has('adds-words-to-starttls') ? 'STARTTLS now' : 'STARTTLS');
    const reply = await this.#reply();
    if (!reply.code.startsWith('2')) return this.#has('goes-on-where-refused');
    if (!(await this.#pipe.handshake)) return this.#has('sends-mail-anyway');
    if (!this.#has('keeps-what-came-in-clear')) this.#buffer = '';
    if (this.#has('goes-on-without-ehlo')) this.#keywords = [];
    const [limit = ''] = this.#keywords.filter((line) => line.startsWith('SIZE '));
    if (this.#has('goes-on-without-ehlo', 'keeps-what-was-offered')) return true;
    const again = await this.#hello();
    if (this.#has('says-starttls-twice')) await this.#ask('STARTTLS');
    if (this.#has('keeps-the-limit')) this.#keywords = [limit];
    return again.code.startsWith('2');
  }

  /** Proves who it is; whether the session may go on. */
  async #authenticated(): Promise<boolean> {
    const offered = this.#keywords
      .find((line) => line.startsWith('AUTH '))
      ?.split(' ')
      .slice(1);
    if (offered === undefined && !this.#has('authenticates-unasked')) return false;
    const known = this.#has('knows-plain-alone') ? ['PLAIN'] : ['PLAIN', 'LOGIN'];
    const anyhow = this.#has('says-plain-always', 'tries-any-mechanism', 'authenticates-unasked') ? 'PLAIN' : undefined;
    const mechanism = anyhow ?? known.find((name) => offered?.includes(name));
    if (mechanism === undefined) return false;
    const plain = this.#has('sends-credentials-as-they-are') ? 'ann:secret' : btoa('\0ann\0secret');
    const responses = mechanism === 'PLAIN' ? [] : [btoa('ann'), btoa('secret')];
    const first = mechanism === 'PLAIN' ? `AUTH PLAIN ${plain}` : 'AUTH LOGIN';
    let reply = await this.#ask(this.#has('pipelines-behind-auth') ? `${first}\r\nNOOP` : first);
    while (reply.code === '334') {
      const isChallenge = /^[A-Za-z0-9+/]*={0,2}$/.test(reply.lines[0]!) || this.#has('answers-any-challenge');
      reply = await this.#ask(isChallenge ? (responses.shift() ?? btoa('what?')) : '*');
    }
    if (this.#has('pipelines-behind-auth')) await this.#reply();
    if (this.#has('reads-one-line-of-235') && reply.lines.length > 1) return false;
    return reply.code === '235';
  }

  async #hello(): Promise<Reply> {
    const name = this.#has('has-an-underscore') ? 'my_host.example' : 'client.example';
    const first = await this.#ask(`${this.#verb} ${name}`);
    if (first.code.startsWith('5') && this.#has('falls-back-to-ehlo')) return await this.#ask(`EHLO ${name}`);
    if (first.code.startsWith('5') && !this.#isLmtp && !this.#has('never-falls-back')) return await this.#ask(`HELO ${name}`);
    const words = this.#has('finds-keywords-anywhere') ? first.lines.flatMap((line) => line.split(' ')) : first.lines.slice(1);
    this.#keywords = words.map((line) => (this.#has('knows-capitals-alone') ? line : line.toUpperCase()));
    return first;
  }

  get #verb(): string {
    if (this.#isLmtp) return this.#has('says-ehlo') ? 'EHLO' : 'LHLO';
    return this.#has('sends-helo-first') ? 'HELO' : 'EHLO';
  }

  #offers(keyword: string): boolean {
    if (this.#has('declares-what-is-not-offered')) return true;
    if (this.#has('finds-keywords-within-others')) return this.#keywords.some((line) => line.includes(keyword));
    return this.#keywords.some((line) => line.split(' ')[0] === keyword);
  }

  async #transaction(): Promise<boolean> {
    const content = this.#content();
    const beyond = /[^\0-\x7f]/;
    const to = this.#recipients();
    const from = this.#has('lowers-addresses') ? this.#task.from.toLowerCase() : this.#task.from;
    if (beyond.test(content) && !this.#offers('8BITMIME') && !this.#has('sends-eight-bits')) return await this.#quit(false);
    if (to.some((one) => beyond.test(one)) && !this.#has('sends-utf8-addresses'))
      return await this.#quit(this.#has('forgets-utf8-addresses'));
    if (content.split('\r\n').some((line) => line.length > 998)) return await this.#quit(false);
    const limit = Number(/^SIZE ([0-9]+)$/.exec(this.#keywords.find((line) => line.startsWith('SIZE ')) ?? '')?.[1] ?? 0);
    if ((limit > 0 && content.length > limit) || (this.#has('ignores-size-0') && this.#keywords.includes('SIZE 0')))
      return await this.#quit(false);
    const colon = this.#has('spaces-at-the-colon') ? ': ' : ':';
    const size = this.#offers('SIZE') ? ` SIZE=${content.length}` : '';
    const ahead = this.#has('pipelines-unasked') || this.#has('pipelines-behind-data');
    if (ahead) return await this.#group(from, content);
    const mail = await this.#ask(`MAIL FROM${colon}<${from}>${size}`);
    if (!this.#isYes(mail)) return await this.#leave(mail, false);
    const accepted: string[] = [];
    for (const one of this.#has('forgets-a-recipient') ? to.slice(0, 1) : to) {
      const rcpt = await this.#ask(`RCPT TO:<${octetsOf(one)}>`);
      if (rcpt.code === '421') return await this.#leave(rcpt, false);
      if (this.#isYes(rcpt)) accepted.push(one);
    }
    if (accepted.length === 0) return await this.#quit(false);
    const sent = await this.#data(content, accepted);
    if (sent === null) return false;
    if (this.#has('sends-one-message-twice')) {
      await this.#ask(`MAIL FROM:<${from}>`);
      await this.#ask(`RCPT TO:<${to[0]}>`);
      await this.#data(content, accepted);
    }
    return await this.#leave(sent.at(-1)!, this.#areYes(sent) && accepted.length === to.length);
  }

  #recipients(): readonly string[] {
    const { to } = this.#task;
    return this.#has('changes-utf8-addresses') ? to.map((one) => one.replaceAll(/[^\0-\x7f]/g, 'x')) : to;
  }

  async #data(content: string, accepted: readonly string[]): Promise<readonly Reply[] | null> {
    if (this.#offers('CHUNKING') && this.#isLmtp) {
      this.#pipe.toServer.push(`BDAT ${content.length} LAST\r\n${content}`);
      return await this.#replies(this.#has('waits-for-one-reply-to-chunks') ? 1 : accepted.length);
    }
    const data = await this.#ask(this.#has('adds-words-to-data') ? 'DATA now' : 'DATA');
    const goes = data.code.startsWith('3') || this.#has('sends-content-anyway') || (this.#has('takes-250-for-354') && data.code === '250');
    if (!goes) {
      await this.#leave(data, false);
      return null;
    }
    this.#pipe.toServer.push(`${this.#stuffed(content)}${this.#has('adds-a-line') ? '\r\n' : ''}.\r\n`);
    return await this.#replies(this.#due(accepted));
  }

  /** How many replies there are to a message. */
  #due(accepted: readonly string[]): number {
    if (!this.#isLmtp || this.#has('waits-for-one-reply')) return 1;
    if (this.#has('counts-addresses')) return new Set(accepted).size;
    return this.#has('waits-for-who-was-refused') ? this.#task.to.length : accepted.length;
  }

  async #replies(due: number): Promise<readonly Reply[]> {
    const replies: Reply[] = [];
    try {
      while (replies.length < due) {
        const reply = await this.#reply();
        replies.push(...(this.#has('counts-lines') ? reply.lines.map(() => reply) : [reply]));
      }
    } catch (error) {
      if (!(error instanceof Lost) || !this.#has('takes-the-rest-for-sent')) throw error;
    }
    return replies;
  }

  #areYes(replies: readonly Reply[]): boolean {
    if (this.#has('goes-by-the-first-reply')) return this.#isYes(replies[0]!);
    if (this.#has('goes-by-the-last-reply')) return this.#isYes(replies.at(-1)!);
    return replies.every((reply) => this.#isYes(reply));
  }

  /** All in one write. */
  async #group(from: string, content: string): Promise<boolean> {
    const { to } = this.#task;
    const lines = [`MAIL FROM:<${from}>`, ...to.map((one) => `RCPT TO:<${octetsOf(one)}>`), 'DATA'];
    const rest = this.#has('pipelines-behind-data') ? `${this.#stuffed(content)}.\r\n` : '';
    this.#pipe.toServer.push(`${lines.join('\r\n')}\r\n${rest}`);
    for (const _ of lines) await this.#reply();
    if (rest === '') this.#pipe.toServer.push(`${this.#stuffed(content)}.\r\n`);
    return await this.#leave(await this.#reply(), true);
  }

  #content(): string {
    const content = expand(this.#task.content, {});
    if (this.#has('sends-bare-lf') || this.#has('sends-bare-cr')) return content;
    const lines = content.replaceAll(/\r\n|\r|\n/g, '\r\n');
    return lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
  }

  #stuffed(content: string): string {
    if (this.#has('does-not-stuff')) return content;
    return content.replaceAll(this.#has('stuffs-every-dot') ? /\./g : /(?<=^|\r\n)\./g, '..');
  }

  #isYes({ code, lines }: Reply): boolean {
    if (this.#has('knows-250-alone')) return code === '250';
    if (this.#has('looks-into-texts')) return lines.some((line) => line.includes('250')) || code.startsWith('2');
    return code.startsWith('2');
  }

  async #leave({ code }: Reply, sent: boolean): Promise<boolean> {
    if (code === '421') {
      if (this.#has('goes-on-behind-421')) this.#say('RCPT TO:<bob@receiver.example>');
      return sent;
    }
    return await this.#quit(sent);
  }

  async #quit(sent: boolean): Promise<boolean> {
    if (this.#has('leaves-without-quit')) return sent;
    try {
      await this.#ask('QUIT');
    } catch (error) {
      // The message is where it is.
      if (!(error instanceof Lost)) throw error;
    }
    return sent;
  }

  async #ask(line: string): Promise<Reply> {
    this.#say(line);
    return await this.#reply();
  }

  #say(line: string): void {
    this.#pipe.toServer.push(`${line}${this.#has('ends-with-lf') ? '\n' : '\r\n'}`);
  }

  async #reply(): Promise<Reply> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#line();
      const [, code, separator = ' ', text = ''] = /^([2-5][0-9]{2})(?:([ -])(.*))?$/.exec(line) ?? [];
      if (code === undefined || (this.#has('wants-a-text') && text === '')) throw new Lost(line);
      lines.push(text);
      if (separator !== '-' || this.#has('reads-the-first-line-alone')) return { code, lines };
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#buffer.slice(0, end);
        this.#buffer = this.#buffer.slice(end + 2);
        return line;
      }
      const seen = await this.#pipe.toClient.read(PATIENCE);
      if (typeof seen !== 'string') throw new Lost(seen.over);
      this.#buffer += seen;
    }
  }
}

/** An address in UTF-8, one character an octet. */
function octetsOf(text: string): string {
  return fromBytes(new TextEncoder().encode(text));
}
