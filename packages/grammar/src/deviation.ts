/** The stable name of a deviation of an address. */
export type AddressDeviation =
  | 'missing-angle-brackets'
  | 'misplaced-dot-local'
  | 'underscore-domain'
  | 'trailing-dot-domain'
  | 'long-local-part'
  | 'long-domain'
  | 'long-path'
  | 'unregistered-literal-tag';

/** The stable name of a deviation. */
export type Deviation =
  | AddressDeviation
  | 'trailing-white-space'
  | 'free-text-argument'
  | 'text-after-hello'
  | 'literal-in-helo'
  | 'free-form-hello'
  | 'extra-space'
  | 'space-before-colon'
  | 'space-after-colon'
  | 'lower-case-hexchar'
  | 'utf8-in-xtext'
  | 'hold-until-offset'
  | 'bare-lf-line'
  | 'odd-ehlo-name'
  | 'odd-ehlo-line'
  | 'odd-ehlo-space'
  | 'auth-equals';

/** What a deviation is. */
export interface DeviationRule {
  /** The section that the sender breaks, e.g. `RFC 5321 4.1.1`. */
  readonly section: string;
  /** What the sender does. */
  readonly what: string;
}

/** Those of an address. What reads addresses alone is bundled without the others. */
export const ADDRESS_DEVIATIONS: { readonly [name in AddressDeviation]: DeviationRule } = {
  'missing-angle-brackets': { section: 'RFC 5321 4.1.2', what: 'a mailbox without its angle brackets' },
  'misplaced-dot-local': { section: 'RFC 5321 4.1.2', what: 'a local part that begins or ends with a dot or has two in a row, unquoted' },
  'underscore-domain': { section: 'RFC 5321 4.1.2', what: 'an underscore in a domain' },
  'trailing-dot-domain': { section: 'RFC 5321 4.1.2', what: 'a domain that ends with a dot' },
  'long-local-part': { section: 'RFC 5321 4.5.3.1.1', what: 'a local part of more than 64 octets' },
  'long-domain': { section: 'RFC 5321 4.5.3.1.2', what: 'a domain of more than 255 octets' },
  'long-path': { section: 'RFC 5321 4.5.3.1.3', what: 'a path of more than 256 octets' },
  'unregistered-literal-tag': { section: 'RFC 5321 4.1.3', what: 'an address literal whose tag is not registered' },
};

/**
 * The known ways in which real senders break the grammar. A parser accepts only those that its dialect tolerates, and
 * reports each one that it met. None of them repairs anything: the address or text stays as it was sent.
 */
export const DEVIATIONS: { readonly [name in Deviation]: DeviationRule } = /* @__PURE__ */ Object.assign(
  {
    'trailing-white-space': { section: 'RFC 5321 4.1.1', what: 'white space before the CRLF of a command' },
    'free-text-argument': {
      section: 'RFC 5321 4.1.2',
      what: 'an argument that is no Atom and no Quoted-string',
    },
    'text-after-hello': { section: 'RFC 5321 4.1.1.1', what: 'text behind the name in EHLO or HELO' },
    'literal-in-helo': { section: 'RFC 5321 4.1.1.1', what: 'an address literal in HELO' },
    'free-form-hello': { section: 'RFC 5321 4.1.1.1', what: 'a name that is no Domain and no address literal' },
    'extra-space': { section: 'RFC 5321 4.1.1', what: 'more than one space between parts' },
    'space-before-colon': { section: 'RFC 5321 3.3', what: 'white space before the colon' },
    'space-after-colon': { section: 'RFC 5321 3.3', what: 'white space behind the colon' },
    'lower-case-hexchar': { section: 'RFC 3461 4', what: 'a hexchar in small letters' },
    'utf8-in-xtext': { section: 'RFC 3461 4.2', what: 'UTF-8 in xtext' },
    'hold-until-offset': { section: 'RFC 4865 3', what: 'a time not in UTC' },
  },
  ADDRESS_DEVIATIONS,
  {
    'bare-lf-line': { section: 'RFC 5321 2.3.8', what: 'a command line that ends with LF alone' },
    'odd-ehlo-name': { section: 'RFC 5321 4.1.1.1', what: 'a server name in EHLO that is no Domain' },
    'odd-ehlo-line': { section: 'RFC 5321 4.1.1.1', what: 'a line of EHLO that is no keyword with parameters' },
    'odd-ehlo-space': { section: 'RFC 5321 4.1.1.1', what: 'more than one space between words of a line of EHLO, or a tab' },
    'auth-equals': { section: 'RFC 5321 4.1.1.1', what: 'AUTH= for AUTH, as before RFC 2554' },
  },
);

/** The danger of accepting each. */
export const DANGERS: { readonly [name in Deviation]: string } = {
  'trailing-white-space': 'None known; RFC 5321 4.1.1 asks receivers to tolerate it.',
  'free-text-argument': 'None known; 3.5.1 wants VRFY to take local-part@domain and 4.1.1.9 wants the text of NOOP ignored.',
  'text-after-hello': 'None known; the text is dropped.',
  'literal-in-helo': 'None known.',
  'free-form-hello': 'The name cannot stand in a Received field and says nothing about the client.',
  'extra-space': 'None known.',
  'space-before-colon': 'Another receiver on the path may read the command otherwise.',
  'space-after-colon': 'Another receiver on the path may read the command otherwise.',
  'lower-case-hexchar': 'None known: the octet is the same.',
  'utf8-in-xtext': 'Another receiver may show the octets by another charset; here the address becomes one of the type utf-8.',
  'hold-until-offset': 'None known: the moment is the same; a receiver that knows UTC alone refuses it.',
  'missing-angle-brackets': 'Where the address ends is a guess: at the first space.',
  'misplaced-dot-local': 'Other systems refuse such an address, so a reply or a bounce may have nowhere to go.',
  'underscore-domain': 'The name may not resolve as a host.',
  'trailing-dot-domain': 'Two spellings of one name: a filter that compares text may miss one.',
  'long-local-part': 'Other systems may refuse to relay or to answer it.',
  'long-domain': 'It cannot be a name in the DNS.',
  'long-path': 'Other systems may refuse to relay or to answer it.',
  'unregistered-literal-tag': 'Nobody knows how to reach such an address.',
  'bare-lf-line': 'Two systems may disagree where a line ends: commands can be smuggled past one of them.',
  'odd-ehlo-name': 'None known: the name is only shown.',
  'odd-ehlo-line': 'None known: the line is left out, so nothing is switched on by it.',
  'odd-ehlo-space': 'None known: the words are the same; a client that misses one may go on in clear.',
  'auth-equals': 'None known: no other keyword has a = in it.',
};

/** The deviations that RFC 5321 itself asks receivers to tolerate. */
export const STRICT: ReadonlySet<Deviation> = new Set(['trailing-white-space', 'free-text-argument', 'text-after-hello']);

/** What a receiver of mail from anywhere does well to take: sloppy, but never ambiguous. */
export const POSTEL: ReadonlySet<Deviation> = /* @__PURE__ */ joined(STRICT, [
  'literal-in-helo',
  'free-form-hello',
  'extra-space',
  'space-after-colon',
  'lower-case-hexchar',
  'utf8-in-xtext',
  'hold-until-offset',
  'misplaced-dot-local',
  'underscore-domain',
  'trailing-dot-domain',
  'long-local-part',
  'odd-ehlo-name',
  'odd-ehlo-line',
  'odd-ehlo-space',
  'auth-equals',
]);

/** Every deviation: for tests and sinks that should see what a sender does. */
export const ANYTHING: ReadonlySet<Deviation> = /* @__PURE__ */ everyName();

// Called where it is marked as pure, so that a bundle that needs neither set holds neither.
function joined(names: ReadonlySet<Deviation>, more: readonly Deviation[]): ReadonlySet<Deviation> {
  return new Set([...names, ...more]);
}

function everyName(): ReadonlySet<Deviation> {
  return new Set(Object.keys(DEVIATIONS) as Deviation[]);
}
