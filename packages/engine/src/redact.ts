import { encodeBase64, latin1, parseVerb, type Reply } from '@ehlo/grammar';
import { escaped } from './escape.ts';
import { holdsAny, type Needle, needlesOf, octetsOf } from './needle.ts';

/** Stands for what is not shown. */
export const WITHHELD = '***';

/** Characters of a line of the wire that are shown. */
export const SHOWN = 200;

/** A line of the wire for a log: cut at `SHOWN` characters, with octets that are not printable ASCII escaped. */
export function showOctets(text: string): string {
  return escaped(text.slice(0, SHOWN)) + (text.length > SHOWN ? '…' : '');
}

/** Which words of an AUTH exchange are secret, and which are not. */
export interface AuthWords {
  /** Names in its responses: they may be shown. */
  readonly names?: readonly string[];
  /**
   * Further secret words, such as a password that the mechanism proves without sending it. What responses say is secret in any case, but for
   * `names`.
   */
  readonly secrets?: readonly string[];
}

/** RFC 4616 2, RFC 7628 3.1: the fields of a response are separated by NUL or ^A. Some mechanisms separate fields by spaces. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const PARTS = /[\0-\x1f]/;
const WORDS = /[\0- ]/;

/** Shorter secrets occur in texts by chance: hiding such a text would reveal that it contains the secret. */
const SHORTEST_SECRET = 8;

/**
 * The one place that decides which texts of a peer may be shown. Law 11: secrets appear in no log, trace or error.
 *
 * A client asks it about each reply, and so about all that is made of one: `reply` of the events `greeting`, `authenticated`, `recipient`,
 * `outcome`, `reply` and `closed`, the `capabilities` of `hello`, `line` of `trace`, `quirk` and `fault`; through `ClientSession.show` about
 * what a challenge says. From there a text goes to notices, outcomes, errors, logs and terminals, and `showText` escapes and cuts it.
 * Challenges are `Secret` and are never shown.
 *
 * A reply that holds a secret of eight octets and more is withheld whole, to the end of the session: as it is, in base64, in hexadecimal,
 * by the numbers of its octets or of its characters, or quoted, and also in pieces, one a line. It is not blanked in its place: its length and its place
 * would reveal something about it. A shorter secret is not looked for: of the replies in its exchange only the codes are shown.
 *
 * A server keeps no secret: `showLine` and `showResponse` show nothing of what may be one in `line` of its events `trace` and `fault`.
 */
export class Redactor {
  readonly #secrets: Set<string> = new Set();
  readonly #needles: Needle[] = [];
  #words: { readonly names: readonly string[]; readonly secrets: readonly string[] | null } | null = null;
  /** The exchange has a secret that is too short to be looked for. */
  #silent = false;

  /** Whether replies have to be seen whole before anything of them is shown. */
  get active(): boolean {
    return this.#words !== null || this.#secrets.size > 0;
  }

  /** An exchange begins. */
  begin({ names = [], secrets }: AuthWords): void {
    const told = secrets?.map(octetsOf).filter((secret) => secret !== '') ?? null;
    this.#words = { names: names.map(octetsOf), secrets: told };
    this.#silent = told?.some((secret) => secret.length < SHORTEST_SECRET) ?? false;
    for (const secret of told ?? []) this.#add(secret);
  }

  /** A response is sent. */
  say(response: Uint8Array): void {
    const { names, secrets } = this.#words!;
    const said = latin1(response, 0, response.length);
    const unnamed = (text: string): boolean => text !== '' && !names.includes(text);
    const parts = said.split(PARTS).filter(unnamed);
    if (secrets === null) this.#silent ||= parts.some((part) => part.length < SHORTEST_SECRET);
    for (const secret of [encodeBase64(response), ...parts, ...said.split(WORDS).filter(unnamed)]) this.#add(secret);
  }

  /** The exchange is over. */
  end(): void {
    this.#words = null;
    this.#silent = false;
  }

  /** Whether a text must not be shown; it is given line by line, one character an octet. */
  withholds(lines: readonly string[]): boolean {
    return this.#silent || (this.#secrets.size > 0 && holdsAny(this.#needles, lines, textsOf));
  }

  /** What is shown of a line of a reply that is withheld: its code with the mark after it, and an enhanced code. */
  line(head: string, text: string): string {
    const [, enhanced] = ENHANCED.exec(text) ?? [];
    return `${head}${enhanced === undefined || this.#isHeld(enhanced) ? '' : `${enhanced} `}${WITHHELD}`;
  }

  /** What is shown of a reply that is withheld. */
  reply({ code, enhanced }: Reply): Reply {
    const lines = [WITHHELD];
    return enhanced === undefined || this.#isHeld(enhanced) ? { code, lines } : { code, enhanced, lines };
  }

  /** Whether an enhanced code is a secret by itself. */
  #isHeld(enhanced: string): boolean {
    return holdsAny(this.#needles, [enhanced], textsOf);
  }

  #add(secret: string): void {
    if (secret.length < SHORTEST_SECRET || this.#secrets.has(secret)) return;
    this.#secrets.add(secret);
    this.#needles.push(...needlesOf(secret));
  }
}

/**
 * The texts that a secret is looked for in: it may be split over lines. A single line is only compared as it is. RFC 2034 4: an enhanced code is
 * on every line.
 */
function textsOf(lines: readonly string[]): readonly string[] {
  if (lines.length === 1) return lines;
  const bare = lines.map((line) => line.replace(ENHANCED, ''));
  return [...new Set([lines, bare, bare.map((line) => line.trim())].map((pieces) => pieces.join('')))];
}

const ENHANCED = /^([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)/;

/** Mechanisms that are known by name. Any other word after AUTH may be a credential whose mechanism was left out. */
const MECHANISMS: ReadonlySet<string> = new Set(
  (
    'ANONYMOUS CRAM-MD5 DIGEST-MD5 EXTERNAL GSS-SPNEGO GSSAPI KERBEROS_V4 LOGIN NTLM OAUTHBEARER OTP PLAIN SCRAM-SHA-1 ' +
    'SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS SCRAM-SHA-512 SCRAM-SHA-512-PLUS XOAUTH XOAUTH2'
  ).split(' '),
);

/** Whether a line is AUTH or was meant to be: what follows it may be a password. */
export function looksLikeAuth(bytes: Uint8Array, from: number, to: number): boolean {
  const end = Math.min(to, from + SHOWN);
  let i = from;
  while (i < end && bytes[i]! <= SP) i++;
  return i < end && (bytes[i]! | 0x20) === LETTER_A && latin1(bytes, i, Math.min(to, i + 4)).toUpperCase() === 'AUTH';
}

/**
 * A command line as it may stand in a log (design law: no secret in an event): what follows AUTH is masked, and so is every line
 * after it until another verb is understood, because it may be a password. Odd octets are escaped.
 */
export function showLine(bytes: Uint8Array, from: number, to: number, suspicious: boolean): string {
  const text = latin1(bytes, from, Math.min(to, from + SHOWN + 1));
  if (looksLikeAuth(bytes, from, to)) {
    const [named, mechanism = ''] = /^auth +([\w-]{1,20})(?= |$)/i.exec(text) ?? [''];
    if (!MECHANISMS.has(mechanism.toUpperCase())) return `AUTH ${WITHHELD}`;
    return text.slice(named.length).trim() === '' ? named : `${named} ${WITHHELD}`;
  }
  if (suspicious && parseVerb(bytes, from, to) === null) return WITHHELD;
  return showOctets(text);
}

const SP = 0x20;
const LETTER_A = 0x61;

/** A response in an AUTH exchange: only a cancellation is shown. */
export function showResponse(bytes: Uint8Array, from: number, to: number): string {
  return to - from === 1 && bytes[from] === ASTERISK ? '*' : WITHHELD;
}

const ASTERISK = 0x2a;
