// What a relay tells of its queue, for people. Addresses and replies are written by others: each is inert text on one line.

import type { ControlStatus, JobSteps, ShownJob } from '@ehlo/relay/control';
import { colours } from './colours.ts';
import { visible } from './message-text.ts';
import { timeText } from './message-trace.ts';

const { bold, cyan, dim, green, red, yellow } = colours;

const STATES: { readonly [state in ShownJob['state']]: (text: string) => string } = {
  leased: green,
  due: (text) => text,
  waiting: yellow,
  held: red,
};

/** Jobs after which the widths of columns stay as they are: so many are waited for. */
const GATHERED = 200;
/** Ours: characters of a column that are aligned; a longer text moves what is behind it. */
const WIDEST = 48;
/** The last column is as long as it is. */
const COLUMNS = ['ID', 'STATE', 'NEXT', 'AGE', 'TRIES', 'OCTETS', 'FROM', 'TO', 'LAST'] as const;
const RIGHT: ReadonlySet<string> = new Set(['TRIES', 'OCTETS']);

/** Jobs as a table, whose rows come as the jobs do. */
export class JobTable {
  readonly #now: number;
  readonly #counts = new Map<string, number>();
  #waiting: { readonly state: ShownJob['state']; readonly cells: readonly string[] }[] = [];
  #widths: readonly number[] | null = null;

  constructor(now: number) {
    this.#now = now;
  }

  /** The lines that can be written now. */
  add(shown: ShownJob): readonly string[] {
    const { state } = shown;
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + 1);
    this.#waiting.push({ state, cells: cellsOf(shown, this.#now) });
    return this.#widths !== null || this.#waiting.length >= GATHERED ? this.#rows() : [];
  }

  /** The rest, and how many there were. */
  end(): readonly string[] {
    return [...(this.#waiting.length > 0 ? this.#rows() : []), dim(countsText(this.#counts))];
  }

  #rows(): readonly string[] {
    const rows = this.#waiting;
    this.#waiting = [];
    const isFirst = this.#widths === null;
    const widths = this.#widths ?? widthsOf(rows.map(({ cells }) => cells));
    this.#widths = widths;
    const lines = rows.map(({ state, cells }) => {
      const [id, shown, ...others] = aligned(cells, widths);
      return [cyan(id!), STATES[state](shown!), ...others].join('  ').trimEnd();
    });
    return isFirst ? [bold(aligned(COLUMNS, widths).join('  ').trimEnd()), ...lines] : lines;
  }
}

function widthsOf(rows: readonly (readonly string[])[]): readonly number[] {
  return COLUMNS.map((name, i) => Math.min(WIDEST, Math.max(name.length, ...rows.map((cells) => cells[i]!.length))));
}

function aligned(cells: readonly string[], widths: readonly number[]): readonly string[] {
  return cells.map((text, i) => {
    if (i === cells.length - 1) return text;
    return RIGHT.has(COLUMNS[i]!) ? text.padStart(widths[i]!) : text.padEnd(widths[i]!);
  });
}

function cellsOf({ state, job }: ShownJob, now: number): readonly string[] {
  const { id, due, message, recipients, tries = 0 } = job;
  const open = recipients.filter((one) => one.state === 'due');
  const [first] = open.length > 0 ? open : recipients;
  const others = open.length > 1 ? ` and ${open.length - 1} more` : '';
  const last = open.find((one) => one.last !== undefined)?.last;
  const next = state === 'waiting' ? timeText(roughly(due - now)) : state === 'held' ? 'never' : 'now';
  return [
    visible(id),
    state,
    next,
    timeText(roughly(now - message.arrived)),
    String(tries),
    String(message.size),
    mailbox(message.reversePath),
    `${visible(first?.address ?? job.domain)}${others}`,
    last === undefined ? '' : saidText(last),
  ];
}

/** Whole seconds, whole minutes from an hour on, whole hours from two days on. */
function roughly(milliseconds: number): number {
  const unit = milliseconds >= 172_800_000 ? 3_600_000 : milliseconds >= 3_600_000 ? 60_000 : 1000;
  return Math.max(0, Math.round(milliseconds / unit)) * unit;
}

function saidText({ status, category, host, reply, text }: NonNullable<ShownJob['job']['recipients'][number]['last']>): string {
  const words = reply === undefined ? text : `${reply.code} ${reply.lines.join(' ')}`;
  const said = words === undefined ? '' : `: ${visible(words)}`;
  return `${visible(status)} ${visible(category)}${host === undefined ? '' : `, ${visible(host)}`}${said}`;
}

function mailbox(address: string): string {
  return address === '' ? '<>' : visible(address);
}

export function countsText(counts: ReadonlyMap<string, number>): string {
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (all === 0) return 'no jobs';
  return `${counted(all, 'job', 'jobs')}: ${[...counts].map(([name, count]) => `${count} ${name}`).join(', ')}`;
}

/** All that a job says. */
export function jobLines({ state, job }: ShownJob, now: number): readonly string[] {
  const { message, recipients, tries = 0, attempt = 0, begun } = job;
  const { arrived, size, reversePath, envid, ret, priority, hops, tls, by, release } = message;
  const when = state === 'waiting' ? `, next try ${timeOf(job.due)} (in ${timeText(roughly(job.due - now))})` : '';
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['job', visible(job.id)],
    ['state', `${STATES[state](state)}${when}`],
    ['domain', visible(job.domain)],
    ['tried', `${counted(tries, 'try', 'tries')} failed, ${counted(attempt, 'transaction', 'transactions')}`],
    ['open', begun === undefined ? undefined : `transaction ${begun.attempt}, begun ${timeOf(begun.at)}, not settled`],
    ['message', `${visible(message.id)}, ${size === 0 ? 'size not known' : `${size} octets`}`],
    ['from', `${mailbox(reversePath)}${message.notice === true ? ', a notice' : ''}`],
    ['arrived', `${timeOf(arrived)} (${timeText(roughly(now - arrived))} ago)`],
    ['hops', hops === undefined ? undefined : String(hops)],
    ['body', [message.body, message.smtpUtf8 === true ? 'SMTPUTF8' : undefined].filter((one) => one !== undefined).join(', ') || undefined],
    ['DSN', [envid === undefined ? '' : `ENVID ${visible(envid)}`, ret === undefined ? '' : `RET ${ret}`].join(' ').trim() || undefined],
    ['TLS', tls],
    ['priority', priority === undefined ? undefined : String(priority)],
    ['deliver by', by === undefined ? undefined : `${timeOf(by.until)}, mode ${by.mode}`],
    ['not before', release === undefined ? undefined : timeOf(release)],
  ];
  const known = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
  const wide = Math.max(...known.map(([name]) => name.length));
  return [
    ...known.map(([name, text]) => `${bold(name.padEnd(wide))}  ${text}`),
    bold('recipients'),
    ...recipients.flatMap(({ address, state: own, last, unknown = 0 }) => [
      `  ${cyan(visible(address))} ${own}${unknown === 0 ? '' : `, ${counted(unknown, 'time', 'times')} nobody knows`}`,
      ...(last === undefined ? [] : [`    ${dim(timeOf(last.at))}  ${saidText(last)}`]),
    ]),
  ];
}

/** The steps that led to where each recipient stands. */
export function stepLines({ state, job, steps }: JobSteps): readonly string[] {
  return [
    `${bold('job')} ${visible(job.id)} for ${visible(job.domain)}, ${STATES[state](state)}`,
    ...job.recipients.flatMap(({ address, state: own }, index) => [
      `  ${cyan(visible(address))} ${own}`,
      ...(steps[index] ?? []).map(({ at, text }) => `    ${dim(timeOf(at))}  ${visible(text)}`),
    ]),
  ];
}

/** How a relay fares, and its queue. */
export function statusLines({ hostname, state, started, now, leased, open, queue }: ControlStatus): readonly string[] {
  const drains =
    state === 'stopping' ? `: it drains, ${counted(open, 'order', 'orders')} under way` : `, ${counted(open, 'order', 'orders')} under way`;
  const relay = `${bold('relay')} ${visible(hostname)}: ${state} for ${timeText(roughly(now - started))}, ${counted(leased, 'job', 'jobs')} here${drains}`;
  if (queue === null) return [relay, `${bold('queue')} ${red('could not be counted')}`];
  const { oldest, age } = queue;
  const since = oldest === null ? '' : ` (since ${timeText(roughly(now - oldest))})`;
  const counts = `${queue.leased} leased, ${queue.due} due${since}, ${queue.waiting} waiting, ${queue.held} held`;
  const all = queue.leased + queue.due + queue.waiting + queue.held;
  return [relay, `${bold('queue')} ${counted(all, 'job', 'jobs')}: ${counts}${age < 1000 ? '' : `, ${timeText(roughly(age))} ago`}`];
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function timeOf(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime())
    ? 'no time'
    : date
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z');
}
