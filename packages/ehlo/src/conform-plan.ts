import { type Check, type Protocol, showsOf, type Target, unmetByOptions } from '@ehlo/conform';
import { visible } from '@ehlo/conform/formats';

/** What `ehlo conform` would do. */
export interface ConformPlan {
  readonly examined: string;
  readonly role: Protocol;
  readonly tls: Target['tls'];
  /** How many sessions there are, the one that looks at what is offered among them, and how many at a time. */
  readonly sessions: number;
  readonly atATime: number;
  /** Whom messages are completed to, and by how many checks at the most. */
  readonly to: readonly string[];
  readonly completes: number;
  readonly user: string | null;
  /** `skipped`: the precondition that the options do not meet. */
  readonly checks: readonly PlannedCheck[];
}

interface PlannedCheck {
  readonly id: string;
  readonly title: string;
  readonly requirements: readonly string[];
  readonly skipped: string | null;
}

/** What would be done, check by check. */
export function planOf(examined: string, checks: readonly Check[], target: Omit<Target, 'dial'>, atATime: number): ConformPlan {
  const { to, user, tls, protocol } = target;
  const run = checks.filter((check) => unmetByOptions(check, target) === null);
  return {
    examined,
    role: protocol,
    tls,
    sessions: run.length + 1,
    atATime,
    to,
    // Only who has addresses is sent a message.
    completes: run.filter(({ needs }) => needs?.to !== undefined).length,
    user: user?.name ?? null,
    checks: checks.map((check) => {
      return { id: check.id, title: check.title, requirements: showsOf(check), skipped: unmetByOptions(check, target) };
    }),
  };
}

/** How a plan is told, by the name of the format. */
export const PLANS: { readonly [format: string]: (plan: ConformPlan) => string } = {
  text: planText,
  json: (plan) => `${JSON.stringify(plan, null, 2)}\n`,
};

function planText({ examined, role, tls, sessions, atATime, to, completes, user, checks }: ConformPlan): string {
  const lines = [
    `${visible(examined)} (${role}, TLS: ${tls}): ${sessions} sessions, ${atATime === 1 ? 'one behind the other' : `at most ${atATime} at a time`}, and none with any other host`,
    to.length === 0
      ? '<Postmaster> and an invented address are asked for at RCPT, and reset; no message is completed'
      : `messages are completed to ${to.map((one) => `<${visible(one)}>`).join(' and ')}, by ${completes} checks at the most`,
    user === null ? 'nobody authenticates' : `${visible(user)} authenticates`,
    'what the server does not offer is skipped',
    '',
    ...checks.map(({ id, title, requirements, skipped }) => {
      return `${skipped === null ? 'run ' : 'skip'}  ${id}: ${title} [${requirements.join(' ')}]${skipped === null ? '' : ` (${skipped})`}`;
    }),
  ];
  return `${lines.join('\n')}\n`;
}
