import { parseMailbox } from './path.ts';
import { octets } from './rule.ts';
import { decodeXtext, encodeXtext } from './xtext.ts';

/** Typed parameters of MAIL. A name is there only if the client gave it. */
export interface MailParameters {
  /** RFC 1870: the declared size in octets; a number beyond 2^53 - 1 counts as that. */
  readonly size?: number;
  /** RFC 6152: what the body holds. */
  readonly body?: '7BIT' | '8BITMIME';
  /** RFC 4954 5: who submitted the message, as the client says; empty for `<>` (not known). */
  readonly auth?: string;
}

/** Typed parameters of RCPT. None of the extensions so far has any. */
export type RcptParameters = { readonly [name in never]: never };

/** A parameter of MAIL or RCPT: how its value is read and written. */
export interface Parameter<T = unknown> {
  readonly keyword: string;
  /** The name under which its value stands in the typed parameters. */
  readonly name: string;
  readonly command: 'MAIL' | 'RCPT';
  /** Octets that the parameter adds to the longest command line (RFC 5321 4.5.3.1.4). */
  readonly octets: number;
  /** The typed value; undefined if the text is not a value of this parameter. */
  parse(value: string): T | undefined;
  format(value: T): string;
}

/** A service extension: what EHLO offers, and all that comes with it. */
export interface Extension {
  /** The EHLO keyword. */
  readonly keyword: string;
  readonly rfc: number;
  /** Verbs that exist only where the extension is offered. */
  readonly verbs: readonly string[];
  readonly parameters: readonly Parameter[];
}

const size: Parameter<number> = {
  keyword: 'SIZE',
  name: 'size',
  command: 'MAIL',
  octets: 26,
  parse: (value) => (/^[0-9]{1,20}$/.test(value) ? Math.min(Number(value), Number.MAX_SAFE_INTEGER) : undefined),
  format: String,
};

const BODIES = ['7BIT', '8BITMIME'] as const;

const body: Parameter<(typeof BODIES)[number]> = {
  keyword: 'BODY',
  name: 'body',
  command: 'MAIL',
  octets: 0,
  parse: (value) => BODIES.find((known) => known === value.toUpperCase()),
  format: String,
};

const auth: Parameter<string> = {
  keyword: 'AUTH',
  name: 'auth',
  command: 'MAIL',
  octets: 500,
  parse(value) {
    if (value === '<>') return '';
    const text = decodeXtext(value);
    if (text === null) return undefined;
    // RFC 4954 5: a Mailbox inside an xtext; so no control character can hide in it.
    const parsed = parseMailbox(octets(text));
    return parsed.ok ? parsed.value.address : undefined;
  },
  format: (address) => (address === '' ? '<>' : encodeXtext(address)),
};

/**
 * Every extension that is implemented, in the order in which EHLO lists them: keyword, RFC, verbs and parameters in one place.
 * What is advertised is read from here, and so is what is understood.
 */
export const EXTENSIONS: readonly Extension[] = [
  { keyword: 'PIPELINING', rfc: 2920, verbs: [], parameters: [] },
  { keyword: 'SIZE', rfc: 1870, verbs: [], parameters: [size] },
  { keyword: '8BITMIME', rfc: 6152, verbs: [], parameters: [body] },
  { keyword: 'ENHANCEDSTATUSCODES', rfc: 2034, verbs: [], parameters: [] },
  { keyword: 'STARTTLS', rfc: 3207, verbs: ['STARTTLS'], parameters: [] },
  { keyword: 'AUTH', rfc: 4954, verbs: ['AUTH'], parameters: [auth] },
  { keyword: 'VRFY', rfc: 5321, verbs: ['VRFY'], parameters: [] },
  { keyword: 'EXPN', rfc: 5321, verbs: ['EXPN'], parameters: [] },
  { keyword: 'HELP', rfc: 5321, verbs: ['HELP'], parameters: [] },
];

interface Registered {
  readonly extension: string;
  readonly parameter: Parameter;
}

const PARAMETERS: ReadonlyMap<string, Registered> = new Map(
  EXTENSIONS.flatMap(({ keyword, parameters }) =>
    parameters.map((parameter) => [parameter.keyword, { extension: keyword, parameter }] as const),
  ),
);

/** The parameter with this keyword (in capitals), and the extension it belongs to. */
export function findParameter(keyword: string): Registered | undefined {
  return PARAMETERS.get(keyword);
}
