import {
  binaryBodyParameter,
  byKeyword,
  type Deviation,
  decodeUtf8,
  encodeUtf8,
  esmtpParam,
  type MailParameters,
  type Parameter,
  type RcptParameters,
  sizeParameter,
  smtpUtf8Parameter,
} from '@ehlo/grammar';
import { atOnce } from '../at-once.ts';
import { SmtpUsageError } from '../error.ts';
import { demandApart, type Extension } from '../extension.ts';
import { concat } from '../octets.ts';
import { didYouMean, kindOf } from '../option-table.ts';
import { writeAddress } from './address.ts';
import { announcedLimit, type Capabilities, isBeyondAnnounced, largestMessage } from './capabilities.ts';
import type { ClientEnvelope, MessageFacts, Problem, ProblemCode } from './envelope.ts';

export interface PlannedRecipient {
  /** Its place in the envelope. */
  readonly index: number;
  /** The path of RCPT, with its angle brackets; empty if its address can't be written. */
  readonly forwardPath: string;
  /** The RCPT command, without its CRLF; empty if its address can't be written. */
  readonly line: string;
  /** The domain of its address, in small letters; empty if it has none. */
  readonly domain: string;
  /** The transaction that it belongs to, from 0 (RFC 9422: the server may take only so many in one transaction, or session). */
  readonly batch: number;
  readonly problem: Problem | null;
}

/** How a message would be sent: pure data, fit to be printed. */
export interface TransactionPlan {
  /** The path of MAIL, with its angle brackets; empty if the sender's address can't be written. */
  readonly reversePath: string;
  /** The MAIL command, without its CRLF; empty if the sender's address can't be written. */
  readonly mail: string;
  readonly recipients: readonly PlannedRecipient[];
  readonly transfer: 'DATA' | 'BDAT';
  /** What is declared; octets beyond it are not sent. */
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** Whether MAIL has SMTPUTF8: then the header may contain octets beyond ASCII, too. */
  readonly smtpUtf8: boolean;
  /** Transactions that are needed; each takes the whole message. */
  readonly batches: number;
  /** Why nothing can be sent at all; null if something can. */
  readonly problem: Problem | null;
}

export interface PlanOptions {
  /** BDAT instead of DATA, where it is offered. */
  readonly chunking?: boolean;
  readonly newlines?: 'crlf' | 'refuse';
  /** The deviations with which an address is still sent, unchanged. Default `CLIENT_TOLERATES`. */
  readonly tolerate?: ReadonlySet<Deviation>;
  /** The A-label form of a domain: see `ClientOptions`. */
  readonly toAscii?: (domain: string) => string | null;
  /** The parameters that can be written; SIZE, BODY and SMTPUTF8 if absent. */
  readonly parameters?: readonly Parameter[];
  /** Extensions of the program's own: their parameters can be written, too. */
  readonly extensions?: readonly Extension[];
  /** Whether the certificate of the server is that of the host that was asked for, as REQUIRETLS wants it (RFC 8689 2). Default false. */
  readonly verified?: boolean;
  /** Domains of recipients that the server was asked for in this session (RFC 9422 4.3). */
  readonly domains?: ReadonlySet<string>;
}

/** The parameters that are always known. */
const BASIC: readonly Parameter[] = [sizeParameter, binaryBodyParameter, smtpUtf8Parameter];
const BASIC_KNOWN: ByCommand = /* @__PURE__ */ byCommand(BASIC);

/**
 * How an envelope and a message would be sent to a server with these capabilities: the commands, what is declared, and what can't be sent
 * and why. An address that can't be written is a problem of its recipient, or of all where it is the sender's. Throws `SmtpUsageError`
 * `bad-address` for what is no address by its type, `bad-parameter` for a value that no server could be told.
 *
 * @example
 * ```ts
 * import { planTransaction } from '@ehlo/engine';
 * const capabilities = { verb: 'EHLO', name: 'mx.example', tls: true, extensions: new Map([['SIZE', ['1000']], ['8BITMIME', []]]) } as const;
 * const envelope = { reversePath: '', recipients: [{ forwardPath: 'ann@example.net' }] };
 * const plan = planTransaction(capabilities, envelope, { size: 700, body: '8BITMIME' });
 * [plan.mail, plan.recipients[0]?.line, plan.transfer]
 * // → ['MAIL FROM:<> SIZE=700 BODY=8BITMIME', 'RCPT TO:<ann@example.net>', 'DATA']
 * ```
 */
export function planTransaction(
  capabilities: Capabilities,
  envelope: ClientEnvelope,
  message: MessageFacts = {},
  options: PlanOptions = {},
): TransactionPlan {
  const { extensions } = capabilities;
  const offered = (keyword: string): boolean => extensions.has(keyword);
  const own = ownParameters(options);
  const known = own.length === 0 && options.parameters === undefined ? BASIC_KNOWN : byCommand(options.parameters ?? BASIC, own);
  const toAscii = offered('SMTPUTF8') ? undefined : options.toAscii;
  const { text: sender, ascii, fault } = writeAddress(envelope.reversePath, NULL_SENDER, options.tolerate, toAscii);
  const recipients = envelope.recipients.map(({ forwardPath }) => writeAddress(forwardPath, POSTMASTER, options.tolerate, toAscii));
  const { body: wanted, ...given }: MailParameters = envelope.parameters ?? {};

  // What is not known is declared as 8BITMIME where that is possible; it may then hold anything but NUL.
  const body = wanted ?? message.body ?? (offered('8BITMIME') ? '8BITMIME' : '7BIT');
  const transfer = options.chunking === true && offered('CHUNKING') ? 'BDAT' : 'DATA';
  // RFC 3030 3: BINARYMIME is sent as it is, and so is its size.
  const size = (body === 'BINARYMIME' ? message.octets : undefined) ?? message.size;
  const utf8 = given.smtpUtf8 === true || message.smtpUtf8 === true || !ascii;
  const someUtf8 = utf8 || recipients.some(({ ascii, fault }) => fault === null && !ascii);
  const parameters: MailParameters = {
    ...(size === undefined || !offered('SIZE') ? {} : { size }),
    ...given,
    ...(body === '7BIT' ? {} : { body }),
    ...(someUtf8 && offered('SMTPUTF8') ? { smtpUtf8: true } : {}),
  };

  const writing: Writing = { known, own, offered, utf8: parameters.smtpUtf8 === true };
  const mail = writeParameters('MAIL', parameters, writing);
  checkTimes(given);
  const found: { readonly [code in ProblemCode]?: boolean } = {
    smtputf8: utf8 && !offered('SMTPUTF8'),
    // RFC 8689 2: "This option MUST only be specified in the context of an SMTP session meeting the security requirements".
    unprotected: given.requireTls === true && !(capabilities.tls && options.verified === true),
    requiretls: given.requireTls === true && !offered('REQUIRETLS'),
    '8bitmime': body === '8BITMIME' && !offered('8BITMIME'),
    binarymime: body === 'BINARYMIME' && (transfer === 'DATA' || !offered('BINARYMIME')),
    parameter: isBeyondAnnounced(given, capabilities),
    'too-large': (parameters.size ?? 0) > largestMessage(capabilities),
    'bare-line-end': message.bareLineEnds === true && options.newlines === 'refuse' && body !== 'BINARYMIME',
  };
  const problem = unwritable(fault, 'sender') ?? PROBLEMS.find(({ code }) => found[code]) ?? mail.problem;

  const batch = batches(announcedLimit(capabilities, 'RCPTMAX'), announcedLimit(capabilities, 'RCPTDOMAINMAX'), options.domains);
  const planned = recipients.map(({ text, ascii, fault }, index): PlannedRecipient => {
    const domain = domainOf(text);
    const written = writeParameters('RCPT', envelope.recipients[index]!.parameters ?? {}, writing);
    const its = unwritable(fault, 'recipient') ?? (ascii || offered('SMTPUTF8') ? written.problem : NO_UTF8);
    const refused = problem ?? its;
    const path = fault === null ? `<${text}>` : '';
    const line = fault === null ? `RCPT TO:${path}${written.text}` : '';
    return { index, forwardPath: path, line, domain, batch: refused === null ? batch(domain) : 0, problem: refused };
  });
  return {
    reversePath: fault === null ? `<${sender}>` : '',
    mail: fault === null ? `MAIL FROM:<${sender}>${mail.text}` : '',
    recipients: planned,
    transfer,
    body,
    smtpUtf8: parameters.smtpUtf8 === true,
    batches: 1 + planned.reduce((last, { batch }) => Math.max(last, batch), 0),
    problem: planned.some((recipient) => recipient.problem === null) ? null : (planned[0]?.problem ?? problem),
  };
}

/** The parameters of the program's own extensions. Throws `SmtpUsageError` `bad-extension` for one that takes the place of another. */
export function ownParameters({
  extensions = [],
  parameters = BASIC,
}: Pick<PlanOptions, 'extensions' | 'parameters'>): readonly Parameter[] {
  if (extensions.length === 0) return [];
  demandApart(extensions, parameters);
  return extensions.flatMap((extension) => extension.parameters);
}

/** The words that may stand in the place of an address (RFC 5321 4.1.1.3, 4.5.5). */
const NULL_SENDER = /^$/;
const POSTMASTER = /^postmaster$/i;

/** RFC 3463 3.2: X.1.3 of a recipient, X.1.7 of the sender. */
function unwritable(fault: string | null, whose: 'sender' | 'recipient'): Problem | null {
  if (fault === null) return null;
  const [enhanced, subject] = whose === 'sender' ? ['5.1.7', "the sender's address"] : ['5.1.3', 'the address'];
  return { code: 'address', enhanced: enhanced!, text: `${subject} can't be sent: ${fault}` };
}

const NO_UTF8: Problem = { code: 'smtputf8', enhanced: '5.6.7', text: 'the server takes no UTF-8' };

/** Reasons to refuse a whole message; the first one is reported. */
const PROBLEMS: readonly Problem[] = [
  NO_UTF8,
  { code: 'unprotected', enhanced: '5.7.10', text: 'a message that requires TLS is sent under TLS alone, to a server that is verified' },
  { code: 'requiretls', enhanced: '5.7.30', text: 'the server does not promise to require TLS' },
  { code: '8bitmime', enhanced: '5.6.3', text: 'the server takes no octets beyond ASCII' },
  { code: 'binarymime', enhanced: '5.6.3', text: 'the server takes no binary message' },
  { code: 'too-large', enhanced: '5.3.4', text: 'the message is larger than the server takes' },
  { code: 'parameter', enhanced: '5.5.4', text: 'the server does not hold a message for so long, or deliver it so soon' },
  { code: 'bare-line-end', enhanced: '5.6.0', text: 'the message has a CR or LF alone' },
];

/** RFC 4865 4.1 (2), 5.2.1 (1): one time to hold a message until, and that before the one to deliver it by. */
function checkTimes({ by, holdFor, holdUntil }: MailParameters): void {
  if (holdFor === undefined || (holdUntil === undefined && holdFor < (by?.seconds ?? Number.POSITIVE_INFINITY))) return;
  throw new SmtpUsageError('bad-parameter', `HOLDFOR=${holdFor} leaves no time for ${holdUntil === undefined ? 'BY' : 'HOLDUNTIL'}`);
}

/** The parameters of each command, in the order in which they are written. */
interface ByCommand {
  readonly MAIL: readonly Parameter[];
  readonly RCPT: readonly Parameter[];
}

function byCommand(parameters: readonly Parameter[], own: readonly Parameter[] = []): ByCommand {
  const all = [...byKeyword(parameters).values(), ...own];
  return { MAIL: all.filter(({ command }) => command === 'MAIL'), RCPT: all.filter(({ command }) => command === 'RCPT') };
}

/** What can be written to this server. */
interface Writing {
  readonly known: ByCommand;
  /** Those of the program's own extensions. */
  readonly own: readonly Parameter[];
  readonly offered: (keyword: string) => boolean;
  /** MAIL has SMTPUTF8: values may contain octets beyond ASCII (RFC 6531 3.4). */
  readonly utf8: boolean;
}

const NO_PARAMETERS: { readonly text: string; readonly problem: Problem | null } = { text: '', problem: null };

/** Writes typed parameters. One that its own codec would not read back throws; one that the server does not offer is a problem. */
function writeParameters(
  command: 'MAIL' | 'RCPT',
  values: MailParameters & RcptParameters,
  { known, own, offered, utf8 }: Writing,
): { readonly text: string; readonly problem: Problem | null } {
  const given = values as { readonly [name: string]: unknown };
  const names = Object.keys(given);
  if (names.length === 0) return NO_PARAMETERS;
  let text = '';
  let problem: Problem | null = null;
  const mine = known[command];
  const unknown = names.find((name) => given[name] !== undefined && !mine.some((parameter) => parameter.name === name));
  if (unknown !== undefined) {
    const names = mine.map(({ name }) => name);
    const hint = didYouMean(unknown, names, '');
    const has = `it has ${names.join(', ') || 'none'}; PARAMETERS of the grammar, as that option, has more, and the option extensions those of your own`;
    throw new SmtpUsageError('bad-parameter', `${command} has no ${unknown} among the option parameters${hint}; ${has}`);
  }
  for (const parameter of mine) {
    const value = given[parameter.name];
    if (value === undefined) continue;
    const { extension, keyword } = parameter;
    text += ` ${writeParameter(parameter, value, own.includes(parameter), utf8)}`;
    // BODY belongs to two extensions: which of them it needs depends on its value.
    if (!offered(extension) && keyword !== 'BODY' && keyword !== 'SMTPUTF8') {
      problem ??= { code: 'extension', enhanced: '5.5.4', text: `the server does not offer ${extension}, which ${keyword} needs` };
    }
  }
  return { text, problem };
}

/** One parameter; throws `bad-parameter` for a value that its own codec would not read back, or that no line could carry. */
function writeParameter(parameter: Parameter, value: unknown, isOwn: boolean, utf8: boolean): string {
  const { codec, keyword, adds } = parameter;
  const odd: Deviation[] = [];
  let written = '';
  let isRead = false;
  try {
    const octets = atOnce(codec.format(value), 'format');
    // A codec of the program's own may give anything: the octets have to be an esmtp-value (RFC 5321 4.1.2).
    const param = concat([encodeUtf8(octets.length === 0 ? keyword : `${keyword}=`), octets]);
    const read: unknown = atOnce(codec.parse(octets, odd), 'parse');
    isRead =
      esmtpParam(param, 0, param.length, utf8) === param.length && read !== undefined && odd.length === 0 && (isOwn || isSame(read, value));
    written = decodeUtf8(param, 0, param.length);
    if (isRead && isOwn && param.length >= adds) {
      throw new SmtpUsageError(
        'bad-parameter',
        `${keyword} with its value and a space has ${param.length + 1} octets: its extension adds ${adds}`,
      );
    }
  } catch (error) {
    if (error instanceof SmtpUsageError) throw error;
    // One of ours fails where a value is of another kind: that is told below.
    if (isOwn) throw new SmtpUsageError('bad-parameter', `the codec of ${keyword} has failed: ${String(error)}`);
  }
  // What xtext can't spell became a question mark: nothing is sent that was not given.
  if (!isRead || (!isOwn && written.includes('?') && marks(written) > marks(JSON.stringify(value)))) {
    const shown = typeof value === 'object' || typeof value === 'function' ? kindOf(value) : String(value);
    throw new SmtpUsageError('bad-parameter', `parameters.${parameter.name} is ${shown}, which is not a value of ${keyword}`);
  }
  return written;
}

/** Whether a value is of the kind that is read back: false is not what a flag says. A list of one word may be read as that word. */
function isSame(read: unknown, value: unknown): boolean {
  return (Array.isArray(value) || typeof read === typeof value) && (typeof read !== 'boolean' || read === value);
}

function marks(text: string): number {
  return text.split('?').length;
}

/** The domain of an address, in small letters. */
function domainOf(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0 ? '' : address.slice(at + 1).toLowerCase();
}

/** Deals recipients out, in order, to transactions and, where their domains are too many, to sessions (RFC 9422 4). */
function batches(most: number, mostDomains: number, asked: ReadonlySet<string> = new Set()): (domain: string) => number {
  if (Math.min(most, mostDomains) === Number.POSITIVE_INFINITY) return () => 0;
  let batch = 0;
  let count = 0;
  let domains = new Set(asked);
  return (domain) => {
    const another = domains.size >= mostDomains && !domains.has(domain);
    if (another || count >= most) {
      batch++;
      count = 0;
    }
    if (another) domains = new Set();
    count++;
    domains.add(domain);
    return batch;
  };
}
