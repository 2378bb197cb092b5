import { limitsAnnouncement, parseEhloLine, type Reply, sizeAnnouncement } from '@ehlo/grammar';

/** What a server says of itself in its answer to EHLO, HELO or LHLO. */
export interface Capabilities {
  readonly verb: 'EHLO' | 'HELO' | 'LHLO';
  /** The name that the server calls itself. */
  readonly name: string;
  /** Whether it was said under TLS. */
  readonly tls: boolean;
  /** The extensions by their keywords, in capitals, with what stands behind each; empty after HELO. */
  readonly extensions: ReadonlyMap<string, readonly string[]>;
}

/** Reads an answer line by line: a keyword is a keyword only as the first word of a line behind the first. `odd` is told of lines that are none. */
export function readCapabilities(verb: Capabilities['verb'], reply: Reply, tls: boolean, odd: (line: string) => void): Capabilities {
  const [first = '', ...rest] = reply.lines;
  const extensions = new Map<string, readonly string[]>();
  // RFC 5321 4.1.1.1: HELO has no extensions, whatever stands behind the first line.
  for (const line of verb === 'HELO' ? [] : rest) {
    const read = parseEhloLine(line);
    if (read === null) odd(line);
    else extensions.set(read.keyword, read.parameters);
  }
  return { verb, name: first.split(' ', 1)[0]!, tls, extensions };
}

/** RFC 1870 3: the largest message that the server takes; infinite where it names none. */
export function largestMessage({ extensions }: Capabilities): number {
  const size = sizeAnnouncement.parse(extensions.get('SIZE') ?? []);
  return size ? size : Number.POSITIVE_INFINITY;
}

/** RFC 9422 3: one of the limits that the server names; infinite where it names none. */
export function announcedLimit({ extensions }: Capabilities, name: 'MAILMAX' | 'RCPTMAX' | 'RCPTDOMAINMAX'): number {
  const value = limitsAnnouncement.parse(extensions.get('LIMITS') ?? [])?.get(name) ?? '';
  // "[0-9]+ … no leading zeros": what is none limits nothing.
  return /^[1-9][0-9]{0,5}$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
}
