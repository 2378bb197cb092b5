import type { Catalogue, Check, Needs } from './check.ts';
import { inOrder } from './in-order.ts';
import { type Finding, runCheck, skipped } from './run-check.ts';
import { Session, Stuck } from './session.ts';
import type { Target } from './target.ts';

/** What is examined, and by which checks. */
export interface ConformOptions extends Target {
  readonly catalogue: Catalogue;
  /** Sections (`5321-4.1.4`: with all below it) and ids of checks or requirements; without it all checks. */
  readonly only?: readonly string[];
  /** How many checks are run at a time, at the most; 1 if absent. Their findings come in order all the same. */
  readonly sessions?: number;
  /** Ends before the next check. */
  readonly signal?: AbortSignal;
}

/** There is no session with the server at all; the message says why. */
export class NoSessionError extends Error {}

/**
 * Examines a server: a finding for each check that is for its protocol, in order, as soon as it is there. Each check has a connection of its own. Rejects with a NoSessionError where the first session comes to nothing.
 */
export async function* conform(options: ConformOptions): AsyncGenerator<Finding, void> {
  const { catalogue, signal, sessions = 1 } = options;
  const offered = await survey(options);
  const run = async (check: Check): Promise<Finding> => {
    const unmet = unmetOf(check, options, offered);
    return unmet === null ? await runCheck(check, options, catalogue) : skipped(check, catalogue, unmet);
  };
  yield* inOrder(selected(options), sessions, run, signal);
}

/** The checks that options ask for, in order. */
export function selected({ catalogue, protocol, only }: Pick<ConformOptions, 'catalogue' | 'protocol' | 'only'>): readonly Check[] {
  const mine = catalogue.checks.filter((check) => check.for.includes(protocol));
  if (only === undefined || only.length === 0) return mine;
  return mine.filter((check) => [check.id, ...showsOf(check)].some((id) => only.some((wanted) => isBelow(id, wanted))));
}

/** The ids of the requirements that a check shows. */
export function showsOf({ steps }: Check): readonly string[] {
  return [...new Set(steps.flatMap((step) => ('expect' in step ? (step.shows ?? []) : [])))];
}

/** `5321-4.1.4` is `5321-4.1.4-05` and `5321-4.1.4.1-01`, and not `5321-4.1.45-01`. */
export function isBelow(id: string, wanted: string): boolean {
  return id === wanted || (id.startsWith(wanted) && /^[.-]/.test(id.slice(wanted.length)));
}

/** What is offered before and behind TLS and AUTH. */
interface Offered {
  readonly clear: readonly string[];
  readonly ready: readonly string[];
}

async function survey(target: Target): Promise<Offered> {
  let session: Session;
  try {
    session = new Session(await target.dial(), target);
  } catch (error) {
    throw new NoSessionError((error as Error).message);
  }
  let clear: readonly string[] = [];
  try {
    await session.reach('ready', true);
    clear = session.firstKeywords;
  } catch (error) {
    throw error instanceof Stuck ? new NoSessionError(error.message) : error;
  } finally {
    await session.leave();
  }
  return { clear, ready: session.keywords };
}

/** The precondition of a check that the options themselves do not meet; null where they do. */
export function unmetByOptions({ needs = {}, begin }: Check, { to, from, user, slow, tls }: Omit<Target, 'dial'>): string | null {
  const early = begin === 'connected' || begin === 'greeted';
  if ((needs.to ?? 0) > to.length) return needs.to === 1 ? 'needs --to: a message is completed' : `needs --to ${needs.to} times`;
  if (needs.from && !from) return 'needs --from';
  if (needs.user && user === undefined) return 'needs --user';
  if (needs.slow && !slow) return 'takes minutes: needs --slow';
  if (needs.tls === 'clear' && (tls === 'implicit' || (tls === 'starttls' && !early))) return 'needs a connection in clear';
  if (needs.tls === 'active' && tls === 'none') return 'needs TLS: --tls';
  if (needs.tls === 'starttls' && tls !== 'starttls') return 'needs --tls starttls';
  return null;
}

function unmetOf(check: Check, target: Target, { clear, ready }: Offered): string | null {
  const { needs = {}, begin } = check;
  const early = begin === 'connected' || begin === 'greeted';
  return unmetByOptions(check, target) ?? unmetByOffer(needs, early ? clear : ready);
}

function unmetByOffer({ keywords = [], absent = [], size }: Needs, offered: readonly string[]): string | null {
  const missing = keywords.find((keyword) => !offers(offered, keyword));
  if (missing !== undefined) return `${missing} is not offered`;
  const present = absent.find((keyword) => offers(offered, keyword));
  if (present !== undefined) return `${present} is offered`;
  return size && !offered.some((line) => /^SIZE [1-9][0-9]{0,14}$/.test(line)) ? 'SIZE is not offered with a limit' : null;
}

/** `AUTH PLAIN`: the keyword with that parameter among others. */
function offers(offered: readonly string[], keyword: string): boolean {
  const [name, parameter] = keyword.split(' ');
  return offered.some((line) => {
    const [word, ...parameters] = line.split(/ +/);
    return word === name && (parameter === undefined || parameters.includes(parameter));
  });
}
