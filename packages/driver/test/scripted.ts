import type { TlsInfo } from '@ehlo/engine';
import type { Sink, Transport } from '../src/index.ts';

/** What a server says to a command line, CRLF left out; null: nothing. `END` stands for the end of a message, `''` for the greeting. */
export type Script = (line: string, server: ScriptedServer) => string | null;

/** Accepts everything, and offers what it is told to. */
export function willing(offers: readonly string[] = ['PIPELINING', '8BITMIME', 'SIZE 1000000']): Script {
  return (line, server) => {
    if (line.startsWith('EHLO') || line.startsWith('LHLO'))
      return ['250-mx.example', ...offers.map((offer) => `250-${offer}`), '250 HELP'].join('\r\n');
    if (line === '') return '220 mx.example';
    if (line === 'DATA') return '354 go on';
    if (line === 'QUIT') return '221 bye';
    if (line === 'STARTTLS') return '220 go on';
    return line === 'END' && server.lmtp ? server.recipients.map(() => '250 taken').join('\r\n') : '250 OK';
  };
}

/** Some lines have answers of their own. */
export function but(answers: { readonly [line: string]: string | null }, offers?: readonly string[]): Script {
  const rest = willing(offers);
  return (line, server) => {
    const found = Object.keys(answers).find((start) => (start === '' ? line === '' : line.startsWith(start)));
    return found === undefined ? rest(line, server) : (answers[found] as string | null);
  };
}

/** A server in memory, as the transport of its client: what it says comes on a turn of its own. */
export class ScriptedServer implements Transport {
  readonly peer = { address: '192.0.2.2', port: 25 };
  readonly local = { address: '192.0.2.1', port: 4321 };
  readonly lines: string[] = [];
  readonly bodies: string[] = [];
  recipients: string[] = [];
  lmtp = false;
  ended: 'no' | 'closed' | 'aborted' = 'no';
  /** What `write` returns; with false it says `drained` on a turn of its own. */
  writable = true;
  unwritten = 0;
  /** Writes that wait for `drain`. */
  stalled = false;
  tls?: TlsInfo;
  secure?: Transport['secure'];
  readonly #script: Script;
  #sink: Sink | null = null;
  #received = '';
  #body: string | null = null;

  constructor(script: Script = willing()) {
    this.#script = script;
  }

  start(sink: Sink): void {
    this.#sink = sink;
    this.#answer('');
  }

  write(bytes: Uint8Array): boolean {
    this.#received += Buffer.from(bytes).toString('latin1');
    this.#read();
    if (this.writable) return true;
    this.unwritten += bytes.length;
    if (!this.stalled) setTimeout(() => this.drain());
    return false;
  }

  pause(): void {}
  resume(): void {}

  close(): void {
    this.#leave('closed');
  }

  abort(): void {
    this.#leave('aborted');
  }

  /** Says something that nobody has asked for. */
  say(text: string, end = '\r\n'): void {
    this.#sink?.data(Uint8Array.from(text + end, (character) => character.charCodeAt(0)));
  }

  end(): void {
    this.#sink?.end();
  }

  lose(cause?: unknown): void {
    this.#sink?.lost(cause);
  }

  drain(): void {
    this.unwritten = 0;
    this.#sink?.drained();
  }

  #leave(how: 'closed' | 'aborted'): void {
    if (this.ended === 'no') this.ended = how;
    this.#sink = null;
  }

  #read(): void {
    for (;;) {
      const inBody = this.#body !== null;
      const at = this.#received.indexOf('\r\n');
      if (at < 0) return;
      const line = this.#received.slice(0, at);
      this.#received = this.#received.slice(at + 2);
      if (!inBody) {
        this.lines.push(line);
        if (line.startsWith('MAIL')) this.recipients = [];
        if (line.startsWith('RCPT')) this.recipients.push(line);
        if (this.#answer(line)?.startsWith('354')) this.#body = '';
      } else if (line === '.') {
        this.bodies.push(this.#body!);
        this.#body = null;
        this.#answer('END');
      } else this.#body += `${line.replace(/^\./, '')}\r\n`;
    }
  }

  #answer(line: string): string | null {
    const answer = this.#script(line, this);
    if (answer !== null) queueMicrotask(() => this.say(answer));
    return answer;
  }
}

/** What a test's TLS is. */
export function tlsInfo(authorized: boolean): TlsInfo {
  const peerCertificate = { subject: 'mx.example', altNames: '', fingerprint256: '', authorized };
  return { protocol: 'TLSv1.3', cipher: '', servername: 'mx.example', peerCertificate };
}

/** Some turns of the event loop. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve));
}
