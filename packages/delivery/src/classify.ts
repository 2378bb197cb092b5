import type { Reply } from '@ehlo/grammar';
import type { Said } from './job.ts';
import { isAmong, nameKey } from './names.ts';
import { CODES, ENHANCED, REPLY_RULES, type ReplyAction, type ReplyRule } from './reply-rules.ts';

/** What a reply is, and what follows. */
export interface Verdict {
  readonly category: string;
  readonly action: ReplyAction;
  /** Whether 5 is its first digit. */
  readonly permanent: boolean;
  /** RFC 3463: the reply's own, or the general one of its class. */
  readonly status: string;
  /** What it was found by: the name of a rule, an enhanced code, a code, or `unknown`. */
  readonly evidence: string;
}

/** RFC 3463 2: no part has a zero in front. */
const CODE = /^[245](?:\.(?:0|[1-9][0-9]{0,2})){2}(?= |$)/;

/** The enhanced code of a reply, also where not every line has it; one of another class than the reply is none (RFC 2034 4). */
function enhancedOf({ code, enhanced, lines }: Reply): string {
  const found = enhanced ?? CODE.exec(lines[0] ?? '')?.[0] ?? '';
  return found[0] === String(code)[0] ? found : '';
}

/**
 * What a reply means: rules of the program first, then ours, then the enhanced code, then the code. What nothing knows is `unknown`, and its first digit decides
 * (RFC 5321 4.2.1, 4.3.2).
 *
 * @example
 * ```ts
 * import { classify } from '@ehlo/delivery';
 * const { category, action } = classify({ code: 452, lines: ['4.2.2 over quota'] }, 'rcpt');
 * [category, action]
 * // → ['mailbox-full', 'later']
 * ```
 */
export function classify(reply: Reply, stage: string, host = '', rules: readonly ReplyRule[] = []): Verdict {
  const permanent = reply.code >= 500;
  const enhanced = enhancedOf(reply);
  const status = enhanced !== '' ? enhanced : permanent ? '5.0.0' : '4.0.0';
  const byDigit = permanent ? 'fail' : 'later';
  const verdict = (category: string, action: ReplyAction | undefined, evidence: string): Verdict => {
    return { category, action: action ?? byDigit, permanent, status, evidence };
  };
  const rule = [...rules, ...REPLY_RULES].find((one) => fits(one, reply, stage, host, enhanced));
  if (rule !== undefined) return verdict(rule.category, rule.action, rule.name);
  const known = ENHANCED[enhanced.slice(2)];
  // RFC 5321 4.2.1: what is permanent is not repeated with the same host, where no rule says so.
  if (known !== undefined) return verdict(known[0], permanent && known[1] !== 'host' ? 'fail' : known[1], enhanced);
  const code = CODES[reply.code];
  return code === undefined ? verdict('unknown', undefined, 'unknown') : verdict(code[0], code[1], String(reply.code));
}

function fits({ hosts, stages, codes, enhanced, text }: ReplyRule, reply: Reply, stage: string, host: string, own: string): boolean {
  return (
    (hosts === undefined || isAmong(nameKey(host), hosts)) &&
    (stages === undefined || stages.includes(stage)) &&
    (codes === undefined || codes.includes(reply.code)) &&
    (enhanced === undefined || enhanced.some((one) => one === own || (one.startsWith('x') && one.slice(1) === own.slice(1)))) &&
    (text === undefined || reply.lines.join(' ').toLowerCase().includes(text))
  );
}

/** RFC 5321 3.4: the address that an answer 251 or 551 names. */
export function movedTo({ code, lines }: Reply): string | null {
  if (code !== 251 && code !== 551) return null;
  return /<(?:@[^:<>]*:)?([^<>@\s\p{Cc}]+@[^<>@\s\p{Cc}]+)>/u.exec(lines.join(' '))?.[1] ?? null;
}

/** What a program may put on its list of addresses that take no mail. It is proposed, never done. */
export type Suppression = 'now' | 'if-repeated';

const SUPPRESSED: { readonly [category: string]: Suppression } = {
  'no-such-mailbox': 'now',
  'no-such-domain': 'now',
  'null-mx': 'now',
  disabled: 'now',
  moved: 'now',
  'mailbox-full': 'if-repeated',
  mailbox: 'if-repeated',
};

/**
 * Whether mail to an address should stop after this; null: nothing says so. A temporary failure (status 4.x.x) may be over tomorrow (RFC 5321 4.2.1): it is
 * never a reason to stop at once.
 *
 * @example
 * ```ts
 * import { suppressionOf } from '@ehlo/delivery';
 * suppressionOf({ category: 'no-such-mailbox', status: '5.1.1' }) // → 'now'
 * ```
 */
export function suppressionOf({ category, status }: Pick<Said, 'category' | 'status'>): Suppression | null {
  const proposed = SUPPRESSED[category] ?? null;
  return proposed === 'now' && !status.startsWith('5') ? 'if-repeated' : proposed;
}
