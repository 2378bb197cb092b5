import type { Verdict } from '../check.ts';
import { expand } from '../octets.ts';
import type { ClientCheck, Rule, WireRule } from './check.ts';
import { type Entry, type Examiner, offerOf } from './examiner.ts';

/** What became of a rule. */
export interface Judged {
  readonly rule: Rule;
  readonly verdict: Verdict;
  readonly because: string | null;
  readonly section: string | null;
  readonly seen: string | null;
}

/** How the client's process ended: its exit code; null: it is not known. */
export type Exit = number | null;

/** What a client has told, and whether 0 is told only where all recipients have the message. */
export interface Told {
  readonly exit: Exit;
  readonly ofEach: boolean;
}

const HOLDS = { verdict: 'conforms', because: null, section: null, seen: null } as const;

/** Judges what a client did by the rules of a check. */
export function judgeRules(check: ClientCheck, examiner: Examiner, told: Told): readonly Judged[] {
  return check.rules.map((rule) => ({ rule, ...judgeRule(rule, check, examiner, told) }));
}

function judgeRule(rule: Rule, check: ClientCheck, examiner: Examiner, told: Told): Omit<Judged, 'rule'> {
  const { log } = examiner;
  if (rule.unless !== undefined && log.some((entry) => fits(rule.unless!, entry))) return HOLDS;
  const from = rule.after === undefined ? 0 : log.findIndex((entry) => fits(rule.after!, entry)) + 1;
  if (rule.after !== undefined && from === 0) return undecided(`the client did not come as far as ${rule.after}`);
  const fault = faultOf(rule, log.slice(from), check, examiner, told);
  if (fault === null) return HOLDS;
  if (fault.undecided) return undecided(fault.because);
  const { seen, because } = fault;
  if (rule.else === undefined) return { verdict: 'violates', because, section: null, seen };
  return { verdict: rule.else.verdict, because: rule.else.because, section: rule.else.section ?? null, seen };
}

interface Fault {
  readonly because: string;
  readonly seen: string | null;
  readonly undecided?: true;
}

function faultOf(rule: Rule, log: readonly Entry[], check: ClientCheck, examiner: Examiner, told: Told): Fault | null {
  const after = rule.after === undefined ? '' : ` behind ${rule.after}`;
  if (rule.must !== undefined) {
    const count = log.filter((entry) => fits(rule.must!, entry)).length;
    if (count < (rule.least ?? 1))
      return { because: `${count === 0 ? 'no' : `${count} times`} ${rule.must}${after}`, seen: log.at(-1)?.token ?? null };
    return rule.most !== undefined && count > rule.most ? { because: `${rule.must} ${count} times${after}`, seen: rule.must } : null;
  }
  if (rule.never !== undefined) {
    const found = log.filter((entry) => fits(rule.never!, entry));
    return found.length > (rule.most ?? 0) ? { because: `${rule.never}${after}`, seen: shown(found[0]!.text) } : null;
  }
  if (rule.each !== undefined) return faultOfLines(rule, log);
  if (rule.content !== undefined) {
    if (examiner.contents.length === 0) return { because: 'no message came', seen: null, undecided: true };
    const wanted = expand(rule.content, {});
    const has = examiner.contents.some((content) => unstuffed(content).includes(wanted));
    return has ? null : { because: 'the content that came is not what was to be sent', seen: shown(examiner.contents[0]!) };
  }
  if (rule.exit !== undefined) return faultOfExit(rule.exit, told);
  return rule.wire === undefined ? null : WIRES[rule.wire](examiner, check);
}

function faultOfExit(wanted: NonNullable<Rule['exit']>, { exit, ofEach }: Told): Fault | null {
  if (exit === null) return { because: 'what the client told of it is not known', seen: null, undecided: true };
  if ((exit === 0) === (wanted === 'success')) return null;
  if (wanted === 'partial' && !ofEach)
    return {
      because: 'some recipients have the message: the exit code may not tell of the others',
      seen: `exit code ${exit}`,
      undecided: true,
    };
  return { because: `the client told ${exit === 0 ? 'success' : 'failure'}`, seen: `exit code ${exit}` };
}

function faultOfLines({ each, text = '', exact }: Rule, log: readonly Entry[]): Fault | null {
  const lines = log.filter((entry) => fits(each!, entry));
  // What has not come can't be wrong: another rule says that it must come.
  const expression = new RegExp(text, exact === true ? '' : 'i');
  const wrong = lines.find((line) => !expression.test(line.text.replace(/\r?\n$/, '')));
  return wrong === undefined ? null : { because: `${each} does not match ${text}`, seen: shown(wrong.text) };
}

/** What must hold of all that the client sends. */
const WIRES: { readonly [rule in WireRule]: (examiner: Examiner, check: ClientCheck) => Fault | null } = {
  crlf: ({ sent }) => {
    const at = /(?<!\r)\n|\r(?!\n)/.exec(sent)?.index ?? -1;
    return at < 0 ? null : { because: 'a CR or LF stands alone', seen: shown(sent.slice(Math.max(0, at - 30), at + 10)) };
  },
  'command-line': ({ log }) => longer(log.filter(isCommand), 512),
  'text-line': ({ contents }) => {
    // RFC 5321 4.5.3.1.6: the dot that is stuffed does not count.
    const long = contents.flatMap((content) => content.split(/(?<=\r\n)/)).find((line) => line.replace(/^\.\./, '.').length > 1000);
    return long === undefined ? null : { because: `a line of ${long.length} octets`, seen: shown(long) };
  },
  ascii: ({ sent }) => beyondAscii(sent),
  'ascii-commands': ({ log }) =>
    beyondAscii(
      log
        .filter(isCommand)
        .map(({ text }) => text)
        .join(''),
    ),
  waits: ({ log }, check) => {
    const isSecure = log.some(({ token }) => token === 'tls');
    const groups = offerOf(check, isSecure).includes('PIPELINING');
    const ahead = log.find(({ from, token, ahead: early }) => from === 'client' && early === true && !(groups && GROUPED.has(token)));
    return ahead === undefined ? null : { because: `something is sent before the reply to ${ahead.token}`, seen: shown(ahead.text) };
  },
  greeting: ({ log }) => {
    const early = log.find(({ token }) => token === 'before-greeting');
    return early === undefined ? null : { because: 'something is sent before the greeting', seen: shown(early.text) };
  },
};

/** RFC 2920 3.1: what may be followed by more before its reply is there; the end of a message, too. */
const GROUPED: ReadonlySet<string> = new Set(['RSET', 'MAIL', 'RCPT', 'content', 'BDAT']);

function isCommand({ from, token }: Entry): boolean {
  return from === 'client' && /^[A-Z0-9]+$/.test(token);
}

function longer(entries: readonly Entry[], most: number): Fault | null {
  const long = entries.find(({ text }) => text.length > most);
  return long === undefined ? null : { because: `a line of ${long.text.length} octets`, seen: shown(long.text) };
}

function beyondAscii(text: string): Fault | null {
  const at = /[^\0-\x7f]/.exec(text)?.index ?? -1;
  return at < 0 ? null : { because: 'an octet beyond ASCII', seen: shown(text.slice(Math.max(0, at - 30), at + 10)) };
}

/** `MAIL` is what the client sent; `RCPT=5` is how it was answered; alternatives stand with `|` between. */
function fits(pattern: string, { from, token }: Entry): boolean {
  return pattern
    .split('|')
    .some((one) => (one.includes('=') ? from === 'server' && token.startsWith(one) : from === 'client' && token === one));
}

function unstuffed(content: string): string {
  return content.replaceAll(/^\./gm, '');
}

function undecided(because: string): Omit<Judged, 'rule'> {
  return { verdict: 'inconclusive', because, section: null, seen: null };
}

function shown(text: string): string {
  return text.slice(0, 80);
}
