import { checkOptions, kindOf, LIMITS, type LimitName, SmtpUsageError, type TableOf } from '@ehlo/engine';
import {
  type Action,
  type After,
  KNOWN,
  type Match,
  milliseconds,
  type Pattern,
  STAGES,
  type Stub,
  type StubFile,
  type StubReply,
} from './stub.ts';

const AFTER: TableOf<After> = { after: 'number' };
const SPLIT: TableOf<NonNullable<StubReply['split']>> = { every: 'number', pause: 'any' };
const REPLY: TableOf<StubReply> = { code: 'number', enhanced: 'text', text: 'any', raw: 'text', split: SPLIT };
const KEYS = ['peer', 'hello', 'identity', 'from', 'to'] as const;
const ACTION: TableOf<Action> = {
  reply: REPLY,
  delay: 'any',
  stall: 'any',
  drop: 'any',
  reset: 'any',
  halfClose: 'any',
  tls: ['refuse', 'break', 'expired', 'wrong-name', 'unknown-issuer'],
  pass: 'switch',
  throttle: { most: 'number', within: 'any', by: 'list', reply: REPLY },
  greylist: { for: 'any', by: 'list', reply: REPLY },
  capabilities: { remove: 'list', add: 'list' },
  limits: Object.fromEntries(Object.keys(LIMITS).map((name) => [name, 'number' as const])),
};
const MATCH: TableOf<Match<Pattern>> = {
  to: 'any',
  from: 'any',
  identity: 'any',
  mechanism: 'any',
  peer: 'any',
  hello: 'any',
  tls: 'switch',
  header: 'object',
  size: { least: 'number', most: 'number' },
  nth: 'number',
  every: 'number',
};
const STUB: TableOf<Stub<Pattern>> = { on: STAGES, match: MATCH, do: ACTION, times: 'number', about: 'text' };
const FILE: TableOf<StubFile> = { $schema: 'text', about: 'text', source: 'text', stubs: 'list' };

/** What a stub does in the end: one of these, or a delay, or settings. */
const ENDS = ['reply', 'stall', 'drop', 'reset', 'halfClose', 'tls', 'pass', 'throttle', 'greylist'] as const;
const CUTS = ['stall', 'drop', 'reset', 'halfClose'] as const;
const SETTINGS = ['capabilities', 'limits'] as const;

/** A stub of a program, if it can be one. Throws `SmtpUsageError` `bad-option`, which says what is wrong with it, and where. */
export function checkStub(given: Stub<Pattern>, path = ''): Stub<Pattern> {
  const at = path === '' ? '' : `${path}.`;
  const stub = checkOptions(STUB, given, {}, path);
  if (stub.on === undefined) bad(`${at}on is missing: it is one of ${STAGES.join(', ')}`);
  if (stub.do === undefined) bad(`${at}do is missing: it says what the stub does`);
  if (stub.times !== undefined) whole(stub.times, 1, `${at}times`);
  checkMatch(stub, at);
  checkAction(stub, `${at}do`);
  return stub;
}

/**
 * A file of stubs, as it was parsed. Throws `SmtpUsageError` `bad-option`, which says what is wrong, and where: `stubs.3.match.to …`.
 *
 * @example
 * ```ts
 * import { checkStubFile } from '@ehlo/testing/stubs';
 * let wrong = '';
 * try {
 *   checkStubFile({ stubs: [{ on: 'rctp', do: { drop: true } }] });
 * } catch (error) {
 *   wrong = (error as Error).message;
 * }
 * wrong
 * // → 'stubs.0.on is "rctp"; it must be one of connect, hello, tls, auth, mail, rcpt, data, chunk, message, quit: did you mean rcpt?'
 * ```
 */
export function checkStubFile(given: unknown): StubFile {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    bad(`the file is ${kindOf(given)}; it is an object: { "stubs": [ … ] }`);
  const file = checkOptions(FILE, given as StubFile);
  if (file.stubs === undefined) bad('stubs is missing: it is the list of stubs');
  const stubs = file.stubs.map((one, i) => {
    const path = `stubs.${i}`;
    const stub = checkStub(one, path);
    for (const [name, pattern] of patternsOf(stub)) {
      if (typeof pattern !== 'string') bad(`${path}.match.${name} is no text: expressions and functions are for programs`);
    }
    return stub as Stub;
  });
  return { ...file, stubs };
}

function patternsOf({ match = {} }: Stub<Pattern>): (readonly [name: string, pattern: Pattern])[] {
  const { to, from, identity, mechanism, peer, hello, header = {} } = match;
  const own = Object.entries({ to, from, identity, mechanism, peer, hello }).filter(
    (entry): entry is [string, Pattern] => entry[1] !== undefined,
  );
  return [...own, ...Object.entries(header).map(([name, pattern]) => [`header.${name}`, pattern] as const)];
}

function checkMatch(stub: Stub<Pattern>, at: string): void {
  const { match = {}, on } = stub;
  for (const [name, pattern] of patternsOf(stub)) {
    if (typeof pattern !== 'string' && typeof pattern !== 'function' && !(pattern instanceof RegExp))
      bad(`${at}match.${name} has to be a text, in which * stands for any characters, or in a program an expression or a function`);
  }
  for (const name of Object.keys(match)) {
    const known: readonly string[] = KNOWN[on];
    if (name !== 'nth' && name !== 'every' && !known.includes(name))
      bad(`${at}match.${name}: at ${on} only ${known.join(', ')} can be matched`);
  }
  const { nth, every, size } = match;
  for (const [name, number] of Object.entries({ nth, every })) if (number !== undefined) whole(number, 1, `${at}match.${name}`);
  for (const [name, number] of Object.entries(size ?? {})) whole(number, 0, `${at}match.size.${name}`);
}

function checkAction({ do: action, on }: Stub<Pattern>, path: string): void {
  const ends = ENDS.filter((name) => action[name] !== undefined);
  const settings = SETTINGS.filter((name) => action[name] !== undefined);
  if (ends.length > 1) bad(`${path} has ${ends.join(' and ')}: a stub does one of them`);
  if (settings.length > 0 && (ends.length > 0 || action.delay !== undefined))
    bad(`${path} has ${settings[0]} and more: settings are a stub of their own`);
  if (ends.length + settings.length === 0 && action.delay === undefined)
    bad(`${path} does nothing: give it one of ${[...ENDS, 'delay', ...SETTINGS].join(', ')}`);
  if (settings.length > 0 && on !== 'connect') bad(`${path}.${settings[0]}: settings are for the whole connection, on connect`);
  if (action.tls !== undefined && on !== 'tls') bad(`${path}.tls is for stubs on tls`);
  if ((action.pass as unknown) === false) bad(`${path}.pass is false; it is true or left out`);
  if (action.delay !== undefined) time(action.delay, `${path}.delay`);
  for (const name of CUTS) {
    const cut: unknown = action[name];
    if (cut === undefined || cut === true) continue;
    whole(checkOptions(AFTER, cut as After, {}, `${path}.${name}`).after, 0, `${path}.${name}.after`);
  }
  const { throttle, greylist } = action;
  if (throttle !== undefined) {
    whole(throttle.most, 0, `${path}.throttle.most`);
    checkMemory(throttle, throttle.within, 'within', `${path}.throttle`);
  }
  if (greylist !== undefined) checkMemory(greylist, greylist.for, 'for', `${path}.greylist`);
  for (const list of [action.capabilities?.remove, action.capabilities?.add]) {
    if (list?.some((one) => !/^[A-Za-z0-9][\x20-\x7e]*$/.test(one))) bad(`${path}.capabilities are texts such as 'STARTTLS' or 'XFOO 12'`);
  }
  // Small ones are from 1 on; none at all would be no session.
  for (const [name, number] of Object.entries(action.limits ?? {}))
    whole(number, Math.min(1, LIMITS[name as LimitName].least), `${path}.limits.${name}`);
  if (action.reply !== undefined) checkReply(action.reply, `${path}.reply`);
}

function checkMemory(
  { by, reply }: Pick<NonNullable<Action['greylist']>, 'by' | 'reply'>,
  span: unknown,
  name: string,
  path: string,
): void {
  time(span, `${path}.${name}`);
  const odd = by?.find((key) => !KEYS.includes(key));
  if (odd !== undefined) bad(`${path}.by has ${JSON.stringify(odd)}; it may have ${KEYS.join(', ')}`);
  if (reply !== undefined) checkReply(reply, `${path}.reply`);
}

function checkReply({ code, enhanced, text, raw, split }: StubReply, path: string): void {
  if ((code === undefined) === (raw === undefined)) bad(`${path} needs code or raw, and not both`);
  if (raw !== undefined && (enhanced !== undefined || text !== undefined))
    bad(`${path}.raw is all that is said: leave out enhanced and text`);
  // RFC 5321 4.2.1: 1yz is used by no reply of SMTP; what is no reply at all is given as it is.
  if (code !== undefined && !(Number.isInteger(code) && code >= 200 && code <= 599))
    bad(`${path}.code is ${code}; it is from 200 to 599, and what no server should say is raw`);
  if (enhanced !== undefined && !/^[245](?:\.[0-9]{1,3}){2}$/.test(enhanced))
    bad(`${path}.enhanced is ${JSON.stringify(enhanced)}; it is of three numbers, such as '4.2.2'`);
  const lines: readonly unknown[] = text === undefined ? [] : Array.isArray(text) ? text : [text];
  if (lines.some((line) => typeof line !== 'string' || /[\r\n]/.test(line)))
    bad(`${path}.text is a line, or a list of lines; other octets are raw`);
  if (Array.isArray(text) && text.length === 0) bad(`${path}.text has no lines`);
  if (split === undefined) return;
  whole(split.every, 1, `${path}.split.every`);
  if (split.pause !== undefined) time(split.pause, `${path}.split.pause`);
}

function whole(number: unknown, least: number, path: string): void {
  if (!Number.isSafeInteger(number) || (number as number) < least)
    bad(`${path} is ${JSON.stringify(number) ?? 'missing'}; it is a whole number from ${least}`);
}

function time(duration: unknown, path: string): void {
  try {
    milliseconds(duration as number);
  } catch (error) {
    bad(`${path}: ${(error as Error).message}`);
  }
}

function bad(text: string): never {
  throw new SmtpUsageError('bad-option', text);
}
