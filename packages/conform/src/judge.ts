import type { Answer, ExpectStep, TextRules, Verdict } from './check.ts';
import type { Reply } from './reply.ts';
import type { Nothing } from './wire.ts';

/** What an answer means. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly section: string | null;
  readonly because: string | null;
  readonly as: string | null;
  readonly stop: boolean;
}

/** What is known of the session when an answer is judged. */
export interface Situation {
  /** A reply of 4yz or 5yz has come. */
  readonly refused: boolean;
  /** Silence was waited for as long as the standard gives (RFC 5321 4.5.3.2). */
  readonly waitedLong: boolean;
  /** `|NAME` for each keyword that is known beside the registered ones. */
  readonly extensions: string;
}

const GOOD: Judgement = { verdict: 'conforms', section: null, because: null, as: null, stop: false };

/** Judges what came where a step expects something. */
export function judge(step: ExpectStep, seen: Reply | Nothing, situation: Situation): Judgement {
  const token = typeof seen === 'string' ? seen : seen.code;
  if (fits(step.expect, token)) return typeof seen === 'string' ? GOOD : judgeText(step.text, seen, situation.extensions);
  const other = step.also?.find(({ answers }) => fits(answers, token));
  return other === undefined ? unexpected(token, situation) : judged(other);
}

/** Whether one of the patterns stands for an answer: the beginning of a code, a word, or `*` for any reply. */
function fits(patterns: readonly string[], token: string): boolean {
  const isCode = /^[0-9]/.test(token);
  return patterns.some((pattern) => (isCode ? pattern === '*' || token.startsWith(pattern) : pattern === token));
}

function judged({ verdict, section, because, as, stop }: Answer): Judgement {
  const given = { section: section ?? null, because: because ?? null, as: as ?? null };
  // Behind what can't be decided, or is wrong, nothing else is.
  return { verdict, ...given, stop: stop === true || verdict === 'inconclusive' || verdict === 'violates' };
}

/** What no check has to say for itself: latitude that every reply has, and ends of sessions. */
const LATITUDE: readonly Answer[] = [
  {
    answers: ['421'],
    verdict: 'inconclusive',
    section: 'RFC 5321 3.8',
    because: 'a server may close with 421 after any command: what the check asks is not answered',
  },
  {
    answers: ['530', '534', '538'],
    verdict: 'inconclusive',
    section: 'RFC 4954 6',
    because: 'the server wants TLS or AUTH first: what the check asks is not answered',
  },
  { answers: ['4'], verdict: 'inconclusive', because: 'the server says that it fails for now: another time it may answer otherwise' },
];

function unexpected(token: string, { refused, waitedLong }: Situation): Judgement {
  const known = LATITUDE.find(({ answers }) => fits(answers, token));
  if (known !== undefined) return judged(known);
  if (token === 'silence' && !waitedLong)
    return judged({
      answers: [],
      verdict: 'inconclusive',
      section: 'RFC 5321 4.5.3.2',
      because: 'no answer came in time, and the standard gives the server minutes',
    });
  if ((token === 'end' || token === 'reset') && refused)
    return judged({
      answers: [],
      verdict: 'inconclusive',
      section: 'RFC 5321 7.8',
      because: 'the server has closed behind a refusal, as it may against what it takes for an attack',
    });
  return judged({ answers: [], verdict: 'violates' });
}

function judgeText(rules: TextRules | undefined, { lines, defects }: Reply, extensions: string): Judgement {
  if (rules === undefined) return GOOD;
  const wrong = brokenRule(rules, lines, defects, extensions);
  if (wrong === null) return GOOD;
  if (rules.else === undefined) return judged({ answers: [], verdict: 'violates', because: wrong });
  return judged({ answers: [], ...rules.else });
}

/** The first rule that does not hold, in words; null where all do. */
function brokenRule(rules: TextRules, lines: readonly string[], defects: ReadonlySet<string>, extensions: string): string | null {
  const matches = (pattern: string) => {
    const expression = new RegExp(pattern.replaceAll('{extensions}', extensions), 'i');
    return (line: string) => expression.test(line);
  };
  const { first, rest, every, some, none, lines: most, form = [] } = rules;
  const defect = form.find((name) => defects.has(name));
  if (defect !== undefined) return `the reply has a fault of its form: ${defect}`;
  if (most !== undefined && lines.length > most) return `the reply has ${lines.length} lines`;
  if (first !== undefined && !matches(first)(lines[0]!)) return `its first line does not match ${first}`;
  if (rest !== undefined && !lines.slice(1).every(matches(rest))) return `a line behind the first does not match ${rest}`;
  if (every !== undefined && !lines.every(matches(every))) return `a line does not match ${every}`;
  if (some !== undefined && !lines.some(matches(some))) return `no line matches ${some}`;
  return none !== undefined && lines.some(matches(none)) ? `a line matches ${none}` : null;
}
