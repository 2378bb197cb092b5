import {
  type Deviation,
  deliverByAnnouncement,
  futureReleaseAnnouncement,
  limitsAnnouncement,
  type MailParameters,
  parseEhloLine,
  type Reply,
  sizeAnnouncement,
} from '@ehlo/grammar';
import { instantOf } from '../instant.ts';
import type { Quirk } from './quirk.ts';

/** What a server says of itself in its answer to EHLO, HELO or LHLO. */
export interface Capabilities {
  readonly verb: 'EHLO' | 'HELO' | 'LHLO';
  /** The name that the server calls itself. */
  readonly name: string;
  /** Whether EHLO was sent under TLS. */
  readonly tls: boolean;
  /** The extensions by their keywords, in capitals, with their parameters; empty after HELO. */
  readonly extensions: ReadonlyMap<string, readonly string[]>;
}

/**
 * Reads an answer line by line. A keyword is the first word of a line after the first line; if it comes on several lines, their parameters are
 * put together. `odd` is called for each invalid or unusual line.
 */
export function readCapabilities(
  verb: Capabilities['verb'],
  reply: Reply,
  tls: boolean,
  odd: (quirk: Quirk, line: string) => void,
): Capabilities {
  const [first = '', ...rest] = reply.lines;
  const extensions = new Map<string, readonly string[]>();
  // RFC 5321 4.1.1.1: HELO has no extensions, whatever follows the first line.
  for (const line of verb === 'HELO' ? [] : rest) {
    const found: Deviation[] = [];
    const read = parseEhloLine(line, found);
    if (read === null) odd('odd-ehlo-line', line);
    else extensions.set(read.keyword, [...new Set([...(extensions.get(read.keyword) ?? []), ...read.parameters])]);
    for (const quirk of found) odd(quirk as Quirk, line);
  }
  return { verb, name: first.split(' ', 1)[0]!, tls, extensions };
}

/** RFC 1870 3: the largest message that the server takes, the least of several; infinite where it names none. */
export function largestMessage({ extensions }: Capabilities): number {
  const sizes = (extensions.get('SIZE') ?? []).map((word) => sizeAnnouncement.parse([word]));
  return Math.min(...sizes.map((size) => size || Number.POSITIVE_INFINITY));
}

/** RFC 9422 3: one of the limits that the server names; infinite where it names none. */
export function announcedLimit({ extensions }: Capabilities, name: 'MAILMAX' | 'RCPTMAX' | 'RCPTDOMAINMAX'): number {
  const limits = extensions.get('LIMITS');
  if (limits === undefined) return Number.POSITIVE_INFINITY;
  const value = limitsAnnouncement.parse(limits)?.get(name) ?? '';
  // "[0-9]+ … no leading zeros": a value of another form is no limit.
  return /^[1-9][0-9]{0,5}$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
}

/**
 * Whether a parameter of MAIL asks for more than the server announces: to hold the message longer (RFC 4865 4.1 (3) and (4)), or to deliver
 * or return it sooner (RFC 2852 4.1.4.1).
 */
export function isBeyondAnnounced({ by, holdFor = 0, holdUntil }: MailParameters, { extensions }: Capabilities): boolean {
  const least = by?.mode === 'R' ? (deliverByAnnouncement.parse(extensions.get('DELIVERBY') ?? []) ?? '') : '';
  if (by !== undefined && by.seconds < Number.parseInt(least, 10)) return true;
  if (holdFor === 0 && holdUntil === undefined) return false;
  const most = futureReleaseAnnouncement.parse(extensions.get('FUTURERELEASE') ?? []);
  if (most === undefined) return false;
  return holdFor > most.seconds || (holdUntil !== undefined && instantOf(holdUntil) > instantOf(most.until));
}
