import type { EpochMs, Notice, Recipient, Said, Step, TlsDemand } from '@ehlo/delivery';
import { explainStep, TLS_WORDS } from '@ehlo/delivery/words';
import { colours } from './colours.ts';
import type { LookupAnswer } from './dns-file.ts';
import { visible } from './message-text.ts';
import { timeText } from './message-trace.ts';
import type { RouteStory, RouteTry } from './route-story.ts';

const { bold, dim, green, red, yellow } = colours;

/** A story, and what was asked. */
export interface ShownRoute {
  readonly address: string;
  readonly hostname: string;
  readonly preset: string;
  readonly at: EpochMs;
  readonly story: RouteStory;
}

/** What is printed for people. Names and texts of others are shown on one line each, without control characters. */
export function routeText({ address, hostname, preset, at, story }: ShownRoute): string {
  const { lookups, route, hosts, tries, notices, end } = story;
  const after = (time: EpochMs): string => `+${timeText(time - at)}`;
  const names = Math.max(0, ...lookups.map(({ question: { name } }) => name.length));
  const lines = [
    `${bold(visible(address))} ${dim(`by ${visible(hostname)}, preset ${preset}`)}`,
    bold(lookups.length === 0 ? 'nothing is looked up' : 'look-ups'),
    ...lookups.map(({ question: { name, rr }, answer }) => `  ${rr.padEnd(4)}  ${visible(name).padEnd(names)}  ${answerText(answer)}`),
    ...titled('what follows from them', route.steps.map(sentence)),
    ...titled('hosts, in the order in which they are tried', hosts.flatMap(hostLines)),
    bold('tries, if the servers answer so'),
    ...groupsOf(tries).flatMap((group) => groupLines(group, after)),
    ...titled(
      'the sender is told',
      notices.flatMap((notice) => noticeLines(notice, after)),
    ),
    `${bold('in the end')} ${endText(end.recipient)} ${dim(`(${after(end.at)})`)}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The same as one object: `docs/route.schema.json`. */
export function routeObject({ address, hostname, preset, at, story }: ShownRoute): object {
  const { lookups, route, hosts, tries, notices, end } = story;
  const stepObject = (step: Step): object => ({ at: step.at, what: step.what, detail: step.detail, text: explainStep(step) });
  const { state, last = null, unknown = 0 } = end.recipient;
  return {
    address,
    hostname,
    preset,
    at,
    lookups: lookups.map(({ question, answer }) => ({ ...question, ...answer })),
    route: { name: route.name, problem: route.problem, steps: route.steps.map(stepObject) },
    hosts: hosts.map(({ host: { host, preference, port, protocol, addresses }, demand }) => {
      return { host, preference, port, protocol, addresses, tls: demand === null ? null : tlsObject(demand) };
    }),
    tries: tries.map((one) => ({ at: one.at, steps: one.steps.map(stepObject) })),
    notices,
    end: { state, at: end.at, unknown, last },
  };
}

function tlsObject({ because, ...demand }: TlsDemand): object {
  const { text, section } = TLS_WORDS[because];
  return { ...demand, because, text, section };
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [bold(title), ...lines.map((line) => `  ${line}`)];
}

function sentence(step: Step): string {
  return visible(explainStep(step));
}

const STATUS: { readonly [status in LookupAnswer['status']]: string } = {
  found: 'an alias',
  empty: 'nothing of this type',
  nxdomain: 'no such name',
  failed: 'no answer',
};

function answerText({ status, security, ttl, alias, mx, addresses, tlsa, txt }: LookupAnswer): string {
  const records = [
    ...(mx ?? []).map(({ preference, exchange }) => `${preference} ${exchange === '' ? '.' : exchange}`),
    ...(addresses ?? []),
    ...(tlsa ?? []).map(({ usage, selector, matching, data }) => `${usage} ${selector} ${matching} ${data.slice(0, 16)}…`),
    ...(txt ?? []).map((text) => JSON.stringify(text)),
  ];
  const said = records.length > 0 ? records.join(', ') : STATUS[status];
  const known = [...(alias === undefined ? [] : [`alias of ${alias}`]), security, ...(status === 'failed' ? [] : [timeText(ttl * 1000)])];
  return `${visible(said)} ${dim(visible(`(${known.join(', ')})`))}`;
}

function hostLines({ host: { host, preference, port, addresses }, demand }: RouteStory['hosts'][number], i: number): string[] {
  const where = `${visible(host)}${port === 25 ? '' : `:${port}`} ${dim(`(preference ${preference})`)} ${addresses.join(', ')}`;
  return [
    `${i + 1}. ${where}`,
    `   ${demand === null ? red('no: nothing says that it is who it should be (RFC 8461 4.1)') : demandText(demand)}`,
  ];
}

const MODES: { readonly [mode in TlsDemand['mode']]: (names: string) => string } = {
  opportunistic: () => 'TLS where it is offered and works, whatever the certificate',
  clear: () => 'no TLS',
  encrypt: () => 'TLS, whatever the certificate',
  name: (names) => `TLS, with a valid certificate for ${names}`,
  dane: () => 'TLS, with a certificate that a TLSA record matches',
};

function demandText({ mode, names, because, requireTls }: TlsDemand): string {
  const { text, section } = TLS_WORDS[because];
  const more = requireTls ? ', and REQUIRETLS' : '';
  return `${MODES[mode](visible(names.join(' or ')))}${more}: ${text}${section === '' ? '' : ` (${section})`}`;
}

/** What a try came to, apart from its times and numbers. */
function sameness({ steps }: RouteTry): string {
  return JSON.stringify(steps.filter(({ what }) => !TIMES.has(what)).map(({ what, detail: { attempt: _, ...detail } }) => [what, detail]));
}

const TIMES: ReadonlySet<string> = new Set(['added', 'later']);

/** Tries in a row that came to the same. */
function groupsOf(tries: readonly RouteTry[]): readonly (readonly RouteTry[])[] {
  const groups: RouteTry[][] = [];
  for (const one of tries) {
    const last = groups.at(-1);
    if (last !== undefined && sameness(last[0]!) === sameness(one)) last.push(one);
    else groups.push([one]);
  }
  return groups;
}

/** Ours: tries that are named of those that came to the same. */
const NAMED = 4;

function groupLines([first, ...same]: readonly RouteTry[], after: (at: EpochMs) => string): string[] {
  const named = same.slice(0, NAMED).map(({ at }) => after(at));
  const rest = same.length > NAMED ? [`… ${after(same.at(-1)!.at)}`] : [];
  const more = same.length === 0 ? [] : [`  ${yellow(`${[...named, ...rest].join(', ')}: the same`)}`];
  return [`  ${yellow(after(first!.at))}`, ...first!.steps.map((step) => `    ${sentence(step)}`), ...more];
}

function noticeLines({ at, recipients }: Notice, after: (at: EpochMs) => string): string[] {
  return recipients.map(({ action, status, until, last }) => {
    const more = until === undefined ? '' : `, tried until ${after(until)}`;
    return `${after(at)}: ${action} ${status}${more}${saidText(last)}`;
  });
}

function endText({ state, last, unknown = 0 }: Recipient): string {
  const paint = state === 'relayed' || state === 'delivered' ? green : red;
  const copies = unknown === 0 ? '' : `; of ${unknown} more nobody knows whether they arrived`;
  return `${paint(state)}${last === undefined ? '' : ` ${last.status}, ${last.category}`}${saidText(last)}${copies}`;
}

function saidText(last: Said | undefined): string {
  if (last?.reply === undefined) return '';
  const { code, enhanced, lines } = last.reply;
  const text = [code, enhanced, ...lines].filter((part) => part !== undefined && part !== '').join(' ');
  return `: ${visible(`${last.host ?? ''} would say "${text}"`)}`;
}
