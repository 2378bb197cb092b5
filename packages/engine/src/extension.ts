import { type Codec, esmtpKeyword, octets, type Parameter, parseVerb } from '@ehlo/grammar';
import { atOnce } from './at-once.ts';
import { SmtpUsageError } from './error.ts';
import type { Peer, TlsInfo } from './facts.ts';
import { METHODS } from './methods.ts';
import { checkOptions, kindOf, type TableOf } from './option-table.ts';

/** What an extension may look at when EHLO asks what is offered. */
export interface OfferFacts {
  readonly protocol: 'smtp' | 'lmtp';
  readonly peer: Peer;
  readonly tls: TlsInfo | null;
  /** Who the client is; null if it has not authenticated. */
  readonly identity: string | null;
}

/** Where in a session a verb may be used: outside of a transaction, after MAIL, after an RCPT that was accepted. */
export type VerbPhase = 'ready' | 'mail' | 'rcpt';

/** A verb of the plain kind: one line, one reply. It has no body, changes no transport, and leaves the session where it is. */
export interface PlainVerb<Name extends string = string> {
  /** In capitals. */
  readonly verb: Name;
  readonly phases: readonly VerbPhase[];
}

/**
 * A service extension (RFC 5321 2.2): what EHLO says of it, its parameters of MAIL and RCPT, and its verbs. `Facts` is what `offer` looks at.
 * Made by `defineExtension`, and given to servers and clients by their option `extensions`.
 */
export interface Extension<P extends Parameter = Parameter, Verb extends string = string, Facts = OfferFacts> {
  /** In capitals. */
  readonly keyword: string;
  /** Where it is described, such as `RFC 7293` or an address: HELP and refusals tell it. */
  readonly spec: string;
  /** The words after the keyword in the answer to EHLO; an empty list: the keyword alone; null: it is not offered now. */
  readonly offer: (facts: Facts) => readonly string[] | null;
  readonly parameters: readonly P[];
  readonly verbs: readonly PlainVerb<Verb>[];
}

/** A parameter as it is defined: which extension it belongs to follows. */
export type DefinedParameter = Omit<Parameter, 'extension'>;

/** What `defineExtension` takes. */
export interface ExtensionDefinition<P extends DefinedParameter, Verb extends string, Facts>
  extends Pick<Extension<Parameter, string, Facts>, 'keyword' | 'spec' | 'offer'> {
  readonly parameters?: readonly P[];
  readonly verbs?: readonly PlainVerb<Verb>[];
}

/** The typed parameters that extensions bring to MAIL or RCPT. */
export type ParametersOf<X extends Extension, Command extends 'MAIL' | 'RCPT'> = {
  readonly [P in Extract<X['parameters'][number], { readonly command: Command }> as P['name']]?: P['codec'] extends Codec<infer Value>
    ? Value
    : never;
};

/** The verbs of extensions. */
export type VerbOf<X extends Extension> = X['verbs'][number]['verb'];

const DEFINITION: TableOf<ExtensionDefinition<DefinedParameter, string, never>> = {
  keyword: 'text',
  spec: 'text',
  offer: 'call',
  parameters: 'values',
  verbs: 'values',
};
const PARAMETER: TableOf<Parameter> = {
  keyword: 'text',
  name: 'text',
  command: ['MAIL', 'RCPT'],
  extension: 'text',
  adds: 'number',
  codec: { parse: 'call', parseText: 'call', format: 'call' },
};
const VERB: TableOf<PlainVerb> = { verb: 'text', phases: 'list' };
const PHASES: readonly VerbPhase[] = ['ready', 'mail', 'rcpt'];

/**
 * Defines an extension. A server that has it among its `extensions` offers it as `offer` says, parses its parameters, which are typed
 * in `mail` and `rcpt`, and asks `command` about its verbs. A client that has it can send parameters, and verbs with the phase `ready`, to a server that offers it. An error that `offer`
 * or a codec throws is reported (`error` of a handler), and counts as not offered, or as no value.
 *
 * `adds` is how many octets a parameter adds to the longest command line, its space and keyword included (RFC 5321 4.5.3.1.4): a server takes
 * so much more, a client sends no more. Throws `SmtpUsageError` `bad-option` or `bad-extension` for what is not valid: a verb that SMTP has, one
 * with a body, a name that is no keyword.
 *
 * @example
 * ```ts
 * import { defineExtension } from '@ehlo/engine';
 * import { textCodec } from '@ehlo/grammar';
 * const tenant = defineExtension({
 *   keyword: 'X-TENANT',
 *   spec: 'https://example.org/tenant',
 *   offer: ({ tls }) => (tls === null ? null : ['v1']),
 *   parameters: [
 *     {
 *       command: 'MAIL',
 *       keyword: 'XTENANT',
 *       name: 'tenant',
 *       adds: 29,
 *       codec: textCodec((text) => (/^[a-z]{1,20}$/.test(text) ? text : undefined), String),
 *     },
 *   ],
 *   verbs: [{ verb: 'XQUOTA', phases: ['ready'] }],
 * });
 * [tenant.keyword, tenant.parameters[0]?.extension]
 * // → ['X-TENANT', 'X-TENANT']
 * ```
 */
export function defineExtension<const P extends DefinedParameter = never, const Verb extends string = never, Facts = OfferFacts>(
  definition: ExtensionDefinition<P, Verb, Facts>,
): Extension<P & Pick<Parameter, 'extension'>, Verb, Facts> {
  const { spec, offer, ...given } = checkOptions(
    DEFINITION as TableOf<ExtensionDefinition<P, Verb, Facts>>,
    definition,
    {},
    'the extension',
  );
  for (const [name, value] of Object.entries({ keyword: given.keyword, spec, offer }))
    if (value === undefined) bad(`the extension has no ${name}`);
  const keyword = keywordOf(given.keyword, 'keyword');
  const parameters = (given.parameters ?? []).map((parameter, i) => definedParameter<P>(parameter, keyword, `parameters[${i}]`));
  const verbs = (given.verbs ?? []).map((verb, i) => definedVerb<Verb>(verb, `verbs[${i}]`));
  notTwice(parameters.map((parameter) => parameter.keyword));
  notTwice(parameters.map(({ name }) => name));
  notTwice(verbs.map(({ verb }) => verb));
  return Object.freeze({ keyword, spec, offer, parameters, verbs });
}

function definedParameter<P extends DefinedParameter>(given: P, extension: string, path: string): P & Pick<Parameter, 'extension'> {
  checkOptions(PARAMETER as TableOf<DefinedParameter>, given, {}, path);
  const missing = ['keyword', 'name', 'command', 'adds', 'codec'].find((name) => given[name as keyof P] === undefined);
  if (missing !== undefined) bad(`${path} has no ${missing}`);
  if (!/^[a-z][A-Za-z0-9]*$/.test(given.name) || given.name === 'unknown' || given.name in {})
    bad(`${path}.name is ${given.name}: it has to be a name of letters and digits, such as mtPriority`);
  if (!Number.isSafeInteger(given.adds) || given.adds < 0) bad(`${path}.adds is ${given.adds}: it has to be a number of octets`);
  if (typeof given.codec.parse !== 'function' || typeof given.codec.format !== 'function')
    bad(`${path}.codec has to have parse and format; textCodec makes one of two functions`);
  return { ...given, keyword: keywordOf(given.keyword, `${path}.keyword`), extension };
}

function definedVerb<Verb extends string>(given: PlainVerb<Verb>, path: string): PlainVerb<Verb> {
  const odd = Object.keys(given).find((name) => !Object.hasOwn(VERB, name));
  if (odd !== undefined)
    bad(
      `${path} has ${odd}: a verb of an extension is one line with one reply, it has no body and changes no transport; it has verb and phases`,
    );
  checkOptions(VERB as TableOf<PlainVerb<Verb>>, given, {}, path);
  const verb = keywordOf(given.verb, `${path}.verb`) as Verb;
  if (parseVerb(verb) !== null) bad(`${path}.verb is ${verb}, which SMTP has already`);
  if (METHODS.has(verb)) bad(`${path}.verb is ${verb}, a method of HTTP: a server turns away who says it`);
  const phases = given.phases ?? [];
  const wrong = phases.find((phase) => !PHASES.includes(phase));
  if (phases.length === 0 || wrong !== undefined)
    bad(`${path}.phases ${wrong === undefined ? 'is empty' : `has ${String(wrong)}`}: it names some of ${PHASES.join(', ')}`);
  return { verb, phases };
}

/** RFC 5321 4.1.1.1, 4.1.2: what EHLO lists, and what MAIL and RCPT have, are keywords; so is a verb here. */
function keywordOf(given: string, path: string): string {
  const bytes = octets(typeof given === 'string' ? given : '');
  if (bytes.length === 0 || bytes.length > 64 || esmtpKeyword(bytes, 0, bytes.length) !== bytes.length)
    bad(
      `${path} is ${typeof given === 'string' ? JSON.stringify(given) : kindOf(given)}: it has to be a word of 1 to 64 letters, digits and hyphens`,
    );
  return given.toUpperCase();
}

/** The keywords of EHLO that are ours, and the names of our parameters by their keywords. */
export const OURS: { readonly keywords: readonly string[]; readonly parameters: { readonly [keyword: string]: string } } = {
  keywords: [
    'PIPELINING',
    'SIZE',
    '8BITMIME',
    'ENHANCEDSTATUSCODES',
    'CHUNKING',
    'BINARYMIME',
    'SMTPUTF8',
    'DSN',
    'DELIVERBY',
    'FUTURERELEASE',
    'MT-PRIORITY',
    'RRVS',
    'REQUIRETLS',
    'LIMITS',
    'STARTTLS',
    'AUTH',
    'ETRN',
    'VRFY',
    'EXPN',
    'HELP',
    'XCLIENT',
    'XFORWARD',
  ],
  parameters: {
    SIZE: 'size',
    BODY: 'body',
    SMTPUTF8: 'smtpUtf8',
    RET: 'ret',
    ENVID: 'envid',
    NOTIFY: 'notify',
    ORCPT: 'orcpt',
    BY: 'by',
    HOLDFOR: 'holdFor',
    HOLDUNTIL: 'holdUntil',
    'MT-PRIORITY': 'mtPriority',
    RRVS: 'rrvs',
    REQUIRETLS: 'requireTls',
    AUTH: 'auth',
  },
};

/**
 * Throws `SmtpUsageError` `bad-extension` for what `defineExtension` has not made, such as a definition, and for an extension that takes the
 * place of another, of ours, or of a parameter that the program has by itself.
 */
export function demandApart(extensions: readonly Extension[], beside: readonly Parameter[] = []): void {
  const undefinedOne = extensions.find(({ parameters, verbs, offer }) => !(Array.isArray(parameters) && Array.isArray(verbs) && offer));
  if (undefinedOne !== undefined) bad('extensions has an object that is no extension: give what defineExtension has made');
  const own = extensions.flatMap(({ parameters }) => parameters);
  const taken = new Map([...Object.entries(OURS.parameters), ...beside.map(({ keyword, name }) => [keyword, name] as const)]);
  notTwice([...OURS.keywords, ...extensions.map(({ keyword }) => keyword)]);
  notTwice([...taken.keys(), ...own.map(({ keyword }) => keyword)]);
  notTwice([...new Set(taken.values()), ...own.map(({ name }) => name)]);
  notTwice(extensions.flatMap(({ verbs }) => verbs.map(({ verb }) => verb)));
}

function notTwice(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) bad(`${twice} is defined twice`);
}

/**
 * Wraps an extension so that errors of its functions are reported to `failed`, not thrown, and count as not offered, or as no value. An offer that
 * is no list of words counts as an error, too (RFC 5321 4.1.1.1: `ehlo-param = 1*(%d33-126)`).
 */
export function guardedExtension(extension: Extension, failed: (error: unknown) => void): Extension {
  const guarded = <T>(call: () => T, otherwise: T): T => {
    try {
      return call();
    } catch (error) {
      failed(error);
      return otherwise;
    }
  };
  return {
    ...extension,
    offer: (facts) => guarded(() => checkedOffer(atOnce(extension.offer(facts), `offer of ${extension.keyword}`), extension.keyword), null),
    parameters: extension.parameters.map((parameter) => ({
      ...parameter,
      codec: {
        parse: (value, found) => guarded(() => atOnce(parameter.codec.parse(value, found), `parse of ${parameter.keyword}`), undefined),
        format: (value) => parameter.codec.format(value),
      },
    })),
  };
}

function checkedOffer(words: readonly string[] | null, keyword: string): readonly string[] | null {
  if (words === null) return null;
  const isList = Array.isArray(words) && words.every((word) => typeof word === 'string' && /^[!-~]+$/.test(word));
  if (!isList) throw new TypeError(`offer of ${keyword} has to return a list of words of printable ASCII, or null`);
  return [...words];
}

function bad(text: string): never {
  throw new SmtpUsageError('bad-extension', text);
}
