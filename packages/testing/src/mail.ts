import type { Session } from '@ehlo/driver';
import type { Envelope, TlsInfo } from '@ehlo/engine';
import { boundariesOf, headerOf, type MailPart, partsOf } from './mail-parts.ts';

/** Addresses as MAIL and RCPT had them. */
export interface MailEnvelope {
  /** Empty for `<>`. */
  readonly from: string;
  readonly to: readonly string[];
}

/** A mail, a transcript and an envelope, without what differs from one run to the next: for snapshots. */
export interface StableMail {
  readonly envelope: MailEnvelope;
  /** Lines end with LF. */
  readonly message: string;
  readonly transcript: readonly string[];
}

/** A mail that the server has taken. What is asked of its MIME parts is read when it is asked for. */
export class Mail {
  /** Its octets, as they came. */
  readonly raw: Uint8Array;
  readonly envelope: MailEnvelope;
  /** MAIL and RCPT with their parameters. */
  readonly transaction: Envelope;
  /** IP address of the client. */
  readonly peer: string;
  /** What the client said in EHLO or HELO. */
  readonly hello: string;
  /** Null where the session had no TLS. */
  readonly tls: TlsInfo | null;
  /** Who the client is by AUTH; null if it did not say. */
  readonly identity: string | null;
  readonly #transcript: readonly string[];
  #header: ((name: string) => string[]) | null = null;
  #parts: readonly MailPart[] | null = null;

  constructor(raw: Uint8Array, envelope: Envelope, session: Session, transcript: readonly string[]) {
    this.raw = raw;
    this.transaction = envelope;
    this.envelope = { from: envelope.reversePath.address, to: envelope.recipients.map(({ forwardPath }) => forwardPath.address) };
    this.peer = session.peer.address;
    this.hello = session.hello?.name ?? '';
    this.tls = session.tls;
    this.identity = session.identity;
    this.#transcript = transcript;
  }

  /** The values of a field, unfolded and decoded, in their order. */
  headers(name: string): string[] {
    this.#header ??= headerOf(this.raw);
    return this.#header(name);
  }

  /** The value of the first field of this name; empty if there is none. */
  header(name: string): string {
    return this.headers(name)[0] ?? '';
  }

  get subject(): string {
    return this.header('Subject');
  }

  /** The parts that have content. */
  get parts(): readonly MailPart[] {
    this.#parts ??= partsOf(this.raw);
    return this.#parts;
  }

  /** The parts of plain text that are no attachments; empty if there are none. */
  get text(): string {
    return this.#read('text/plain');
  }

  /** The parts of HTML that are no attachments; empty if there are none. */
  get html(): string {
    return this.#read('text/html');
  }

  /** All parts but the texts. */
  get attachments(): readonly MailPart[] {
    return this.parts.filter(isAttachment);
  }

  /** Where links in the HTML and addresses in the text lead to, each once. */
  get links(): readonly string[] {
    const inHtml = Array.from(this.html.matchAll(/<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/gi), ([, a, b, c]) =>
      unescaped(a ?? b ?? c ?? ''),
    );
    const inText = Array.from(this.text.matchAll(/\bhttps?:\/\/[^\s<>"]+/g), ([link]) => link.replace(/[.,;:!?)\]']+$/, ''));
    return [...new Set([...inHtml, ...inText])];
  }

  /** What both have said on this connection, up to now: `C: MAIL FROM:<a@b.example>`, `S: 250 2.1.0 …`. */
  get transcript(): readonly string[] {
    return [...this.#transcript];
  }

  /** Dates, identifiers, boundaries and ports are replaced by words: the same in every run. */
  get stable(): StableMail {
    return { envelope: this.envelope, message: stableMessage(this), transcript: this.#transcript.map(stableLine) };
  }

  #read(type: string): string {
    const texts = this.parts.filter((part) => part.type === type && !isAttachment(part)).map((part) => part.text());
    return texts.join('\n');
  }
}

function isAttachment({ type, disposition, filename }: MailPart): boolean {
  return disposition === 'attachment' || filename !== null || !(type === 'text/plain' || type === 'text/html');
}

const ENTITIES: { readonly [name: string]: string } = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text
    .trim()
    .replaceAll(/&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]+));/g, (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    });
}

/** Fields whose values are dates, or end with one. */
const DATES = /^((?:Resent-)?Date:[ \t]*)[^\n]*|(\nReceived:(?:[^\n]|\n[ \t])*;)(?:[^\n]|\n[ \t])*/gim;

function stableMessage(mail: Mail): string {
  let text = new TextDecoder().decode(mail.raw).replaceAll('\r\n', '\n');
  for (const [i, boundary] of [...new Set(boundariesOf(mail.raw))].entries()) text = text.replaceAll(boundary, `boundary-${i + 1}`);
  const ids = [...mail.headers('Message-ID'), ...mail.parts.map(({ contentId }) => contentId ?? '')].map((id) => id.replace(/^<|>$/g, ''));
  for (const [i, id] of [...new Set(ids.filter((id) => id !== ''))].entries()) text = text.replaceAll(id, `id-${i + 1}`);
  return text
    .replaceAll(DATES, (_, date?: string, trace?: string) => (date === undefined ? `${trace} <date>` : `${date}<date>`))
    .replaceAll(PORT, '$1:<port>');
}

const PORT = /\b(127\.0\.0\.1|localhost|\[::1\]):[0-9]{2,5}\b/g;

function stableLine(line: string): string {
  return line.replaceAll(PORT, '$1:<port>');
}
