import type { Requirement } from '../check.ts';
import { isBelow, NoSessionError } from '../conform.ts';
import { inOrder } from '../in-order.ts';
import type { Finding } from '../run-check.ts';
import type { ClientCheck, ClientProtocol, Rule, Task } from './check.ts';
import { Examiner, type Manner } from './examiner.ts';
import { type Exit, type Judged, judgeRules } from './judge.ts';
import type { Peer } from './peer.ts';

/** The checks of clients, and the requirements that they name. */
export interface ClientCatalogue {
  readonly checks: readonly ClientCheck[];
  readonly requirements: { readonly [id: string]: Requirement };
}

/** A client that can be set to work. */
export interface Subject {
  /** Gives it a task; each connection of its is examined. Resolves when it is done, to how it ended. */
  work(task: Task, check: ClientCheck, examine: (peer: Peer) => Promise<void>, protocol: ClientProtocol): Promise<Exit>;
  /** Whether it takes a task with several recipients. */
  readonly several: boolean;
  /** It resolves to 0 only where all recipients have the message; without it 0 may be told where some have. */
  readonly tellsOfEach?: boolean;
  /** Nothing more is to be done. */
  close?(): void;
}

export interface ClientOptions extends Manner {
  readonly catalogue: ClientCatalogue;
  readonly subject: Subject;
}

/** The check that a client has to come through for the others to mean anything. */
const FIRST = 'commands-in-order';

/** Which checks are run. */
export interface ClientSelection {
  /** Sections (`5321-4.1.4`: with all below it) and ids of checks or requirements; without it all checks. */
  readonly only?: readonly string[];
  /** How many checks are run at a time, at the most; 1 if absent. Their findings come in order all the same. */
  readonly sessions?: number;
  readonly signal?: AbortSignal;
}

/**
 * Examines a client: a finding for each check, in order. Rejects with a NoSessionError where it does not even send a message to a server that
 * takes everything: what it does then says nothing.
 */
export async function* conformClient(options: ClientOptions & ClientSelection): AsyncGenerator<Finding, void> {
  const { signal, sessions = 1 } = options;
  const first = selectedOfClients({ ...options, only: [FIRST] })[0];
  try {
    if (first !== undefined) await survey(first, options);
    yield* inOrder(selectedOfClients(options), sessions, (check) => runClientCheck(check, options), signal);
  } finally {
    options.subject.close?.();
  }
}

/** The checks that are asked for, in order. */
export function selectedOfClients({
  catalogue,
  only = [],
  protocol,
}: Pick<ClientOptions & ClientSelection, 'catalogue' | 'only' | 'protocol'>): readonly ClientCheck[] {
  const mine = catalogue.checks.filter((check) => check.for?.includes(protocol) !== false).map((check) => asFor(protocol, check));
  if (only.length === 0) return mine;
  return mine.filter(({ id, rules }) =>
    [id, ...rules.flatMap(({ shows }) => shows)].some((one) => only.some((wanted) => isBelow(one, wanted))),
  );
}

/** What is said of EHLO is meant of LHLO in LMTP, where a check is for both (RFC 2033 4.1: its semantics are the same). */
function asFor(protocol: ClientProtocol, check: ClientCheck): ClientCheck {
  if (protocol !== 'lmtp' || check.for !== undefined) return check;
  const [from, to] = [/\bEHLO\b/g, 'LHLO'] as const;
  const tokens = ['must', 'never', 'each', 'after', 'unless', 'text'] as const;
  const named = <Part extends object>(part: Part, names: readonly string[]): Part => {
    const changed = names.flatMap((name) => {
      const value = (part as { readonly [name: string]: unknown })[name];
      return typeof value === 'string' ? [[name, value.replaceAll(from, to)]] : [];
    });
    return { ...part, ...Object.fromEntries(changed) };
  };
  const { script = [], rules, title } = check;
  return {
    ...check,
    title: title.replaceAll(from, to),
    script: script.map((act) => named(act, ['on'])),
    rules: rules.map((rule) => named(rule, tokens)),
  };
}

async function survey(check: ClientCheck, options: ClientOptions): Promise<void> {
  const { because, dialogue } = await runClientCheck(check, options);
  const sent = dialogue.some(({ from, text }) => from === 'server' && text.startsWith('250 Taken'));
  if (sent) return;
  const last = dialogue
    .filter(({ from }) => from !== 'connection')
    .at(-1)
    ?.text.trim();
  throw new NoSessionError(
    `the client does not send a message to a server that takes everything: ${because ?? 'none came'}${last === undefined ? '' : `; the last that was said is ${JSON.stringify(last)}`}`,
  );
}

const TASK: Task = {
  from: 'ann@sender.example',
  to: ['bob@receiver.example'],
  content:
    'From: <ann@sender.example>\r\nTo: <bob@receiver.example>\r\nSubject: a check\r\nDate: Sat, 28 Nov 2026 12:00:00 +0000\r\nMessage-ID: <check@sender.example>\r\n\r\nA line.\r\n',
};

/** The task of a check. */
export function taskOf({ task }: ClientCheck): Task {
  return { ...TASK, ...task };
}

/** Why a check can't be run; null where it can. */
function unmetByClient(check: ClientCheck, { tls, auth, subject }: Pick<ClientOptions, 'tls' | 'auth' | 'subject'>): string | null {
  if (check.about === 'starttls' && !tls) return 'needs --tls: the client asks for STARTTLS';
  if (check.about === 'clear' && tls) return 'needs a client that does not ask for TLS';
  if (check.about === 'auth' && !auth) return 'needs --auth: the client authenticates';
  if (taskOf(check).to.length > 1 && !subject.several) return 'needs {recipients}, {commas} or {each:…} in --exec: there are several';
  return null;
}

/** Runs one check against a client. */
export async function runClientCheck(check: ClientCheck, options: ClientOptions): Promise<Finding> {
  const unmet = unmetByClient(check, options);
  if (unmet !== null) return { ...finding(check, options, [], []), verdict: 'skipped', because: unmet };
  const examiners: Examiner[] = [];
  const examine = async (peer: Peer): Promise<void> => {
    const examiner = new Examiner(peer, check, options);
    examiners.push(examiner);
    await examiner.run();
  };
  const exit = await options.subject.work(taskOf(check), check, examine, options.protocol);
  const told = { exit, ofEach: options.subject.tellsOfEach === true };
  const judged = examiners.map((examiner) => judgeRules(check, examiner, told));
  return finding(check, options, examiners, judged);
}

const RANK = ['conforms', 'permitted', 'inconclusive', 'violates'] as const;

/** The worst of each rule: of several connections the first that decides it counts, but that one of them breaks it. */
function finding(
  { id, title, rules }: ClientCheck,
  { catalogue: { requirements } }: ClientOptions,
  examiners: readonly Examiner[],
  judged: readonly (readonly Judged[])[],
): Finding {
  const ofRules = rules.map((_, i) => decided(judged.map((rulings) => rulings[i]!)));
  const worst = ofRules.reduce<Judged | null>((one, other) => (other !== null && rank(other) > rank(one) ? other : one), null);
  const none = examiners.length === 0;
  const shows = worst === null || worst.verdict === 'conforms' ? rules.flatMap((rule) => rule.shows) : worst.rule.shows;
  const shown = [...new Set(shows)].flatMap((name) => (requirements[name] === undefined ? [] : [requirements[name]]));
  return {
    id,
    title,
    verdict: none ? 'inconclusive' : (worst?.verdict ?? 'conforms'),
    because: none ? 'the client did not connect' : (worst?.because ?? null),
    section: worst?.section ?? (worst?.verdict === 'violates' ? (shown[0]?.section ?? null) : null),
    requirements: shown,
    expected: worst === null ? null : expectationOf(worst.rule),
    seen: worst?.seen ?? null,
    dialogue: examiners.flatMap(({ dialogue }) => dialogue),
  };
}

function rank(judged: Judged | null): number {
  return judged === null ? -1 : RANK.indexOf(judged.verdict);
}

function decided(all: readonly Judged[]): Judged | null {
  const known = all.filter(({ verdict }) => verdict !== 'inconclusive');
  return (known.length > 0 ? known : all).reduce<Judged | null>((one, other) => (rank(other) > rank(one) ? other : one), null);
}

/** What a rule asks for, in words. */
function expectationOf({ must, never, each, text, content, wire, exit, after }: Rule): string {
  const behind = after === undefined ? '' : ` behind ${after}`;
  if (must !== undefined) return `${must}${behind}`;
  if (never !== undefined) return `no ${never}${behind}`;
  if (each !== undefined) return `each ${each} matches ${text}`;
  if (content !== undefined) return 'the content as it was given';
  return wire === undefined ? `${exit} told` : wire;
}
