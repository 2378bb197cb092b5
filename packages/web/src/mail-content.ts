import { type MailPart, partsOf } from '@ehlo/testing';
import type { MailStore } from './mail-store.ts';

/** A part of a mail that has content, as the API tells it. */
export interface PartSummary {
  /** Its number, from 0, in the order of the message. */
  readonly part: number;
  readonly type: string;
  readonly filename: string | null;
  readonly disposition: string | null;
  readonly contentId: string | null;
  /** Octets, without its transfer encoding. */
  readonly octets: number;
}

/** A mail that was taken apart. */
export interface MailContent {
  readonly raw: Uint8Array;
  readonly parts: readonly MailPart[];
  /** Its plain text; empty if there is none. */
  readonly text: string;
  /** Its HTML, as it came; null if there is none. */
  readonly html: string | null;
  /** All parts but the texts that are shown. */
  readonly files: readonly PartSummary[];
  /** Where its text and its HTML lead to, each once. */
  readonly links: readonly string[];
}

/** Mails that were taken apart last are kept, so many of them and so many octets: a page asks for one again and again. */
const KEPT = 4;
const KEPT_OCTETS = 32 * 1024 * 1024;

/** Ours: links that are told of a mail. */
const MOST_LINKS = 200;

/** The contents of mails. */
export class MailContents {
  readonly #store: MailStore;
  readonly #kept: Map<string, MailContent> = new Map();

  constructor(store: MailStore) {
    this.#store = store;
  }

  /** Null if there is no such mail any more. */
  async find(id: string): Promise<MailContent | null> {
    if (this.#store.find(id) === null) {
      this.#kept.delete(id);
      return null;
    }
    const kept = this.#kept.get(id);
    if (kept !== undefined) return kept;
    const raw = await this.#store.octets(id);
    if (raw === null) return null;
    const content = contentOf(raw);
    this.#kept.set(id, content);
    const octets = (): number => [...this.#kept.values()].reduce((sum, one) => sum + one.raw.length, 0);
    while (this.#kept.size > KEPT || (this.#kept.size > 1 && octets() > KEPT_OCTETS)) this.#kept.delete(this.#kept.keys().next().value!);
    return content;
  }
}

function contentOf(raw: Uint8Array): MailContent {
  const parts = partsOf(raw);
  const read = (type: string): string[] => parts.filter((part) => part.type === type && !isFile(part)).map((part) => part.text());
  const html = read('text/html');
  const text = read('text/plain').join('\n');
  return {
    raw,
    parts,
    text,
    html: html.length === 0 ? null : html.join('\n<hr>\n'),
    files: parts.flatMap((part, i) => (isShown(part) ? [] : [summaryOf(part, i)])),
    links: linksOf(html.join('\n'), text),
  };
}

export function summaryOf({ type, filename, disposition, contentId, content }: MailPart, part: number): PartSummary {
  return { part, type, filename, disposition, contentId, octets: content.length };
}

function isFile({ disposition, filename }: MailPart): boolean {
  return disposition === 'attachment' || filename !== null;
}

function isShown(part: MailPart): boolean {
  return !isFile(part) && (part.type === 'text/plain' || part.type === 'text/html');
}

/**
 * HTML as it is shown: images by `cid:` (RFC 2392) are at addresses of this server, and frames and links to resources are elements that nobody knows. The
 * policy forbids those, too, but a browser looks up the name of a frame's host, and connects to what a link says, before it asks the policy. An
 * element begins with `<` and its name, whatever is around it (HTML 13.2.5.6), so none is missed.
 */
export function shownHtml(html: string, { parts }: MailContent, address: (part: number) => string): string {
  const known = new Map(parts.flatMap(({ contentId }, i) => (contentId === null ? [] : [[contentId.toLowerCase(), i] as const])));
  return html.replaceAll(FRAMES, '$1x-$2').replaceAll(/\bcid:([^\s"'<>()\\]{1,200})/gi, (whole, id: string) => {
    const part = known.get(decoded(id).toLowerCase());
    return part === undefined ? whole : address(part);
  });
}

/**
 * HTML as it is where a light or a dark one is preferred, whatever the system of who looks prefers: what its styles ask is answered in its text, and
 * where it says that it can be dark, its canvas is.
 */
export function inScheme(html: string, scheme: 'light' | 'dark'): string {
  const answered = html.replaceAll(/\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)/gi, (_, asked: string) =>
    asked.toLowerCase() === scheme ? '(min-width:0)' : '(max-width:0)',
  );
  // At the end: in front of a document type it would change how all of it is read (HTML 13.2.6.4.1).
  return CAN_BE_DARK.test(html) ? `${answered}<style>:root{color-scheme:only ${scheme}}</style>` : answered;
}

/** `<meta name="color-scheme" content="light dark">`, or `color-scheme: light dark` in a style. */
const CAN_BE_DARK = /["'\s]color-scheme["'\s][^<>]{0,200}\bdark\b|[\s{;"']color-scheme\s*:[^;}"']{0,100}\bdark\b/i;

const FRAMES = /(<\/?)(iframe|frameset|frame|object|embed|portal|fencedframe|link)(?![\w-])/gi;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function linksOf(html: string, text: string): string[] {
  const found = new Set<string>();
  const all = [
    ...html.slice(0, 1_048_576).matchAll(/\bhref\s*=\s*(?:"([^"]{1,2000})"|'([^']{1,2000})')/gi),
    ...text.slice(0, 1_048_576).matchAll(/\bhttps?:\/\/([^\s<>"]{1,2000})/g),
  ];
  for (const [whole, quoted, single] of all) {
    const link = (whole.startsWith('http') ? whole.replace(/[.,;:!?)\]']+$/, '') : (quoted ?? single ?? ''))
      .trim()
      .replaceAll('&amp;', '&');
    if (/^(?:https?|mailto):/i.test(link)) found.add(link);
    if (found.size >= MOST_LINKS) break;
  }
  return [...found];
}
