import { showText, type TransactionPlan } from '@ehlo/engine';
import { type ClientNotice, outcomeText, type RecipientOutcome } from '#adapter';
import { colours } from './colours.ts';
import { jsonLine } from './json-line.ts';
import type { TimeSum, TimeTable } from './timing.ts';

/** Shows what becomes of a message, or of many. */
export interface SendPrinter {
  outcome(outcome: RecipientOutcome, text?: string): void;
  /** Nothing follows of the one message. */
  end(): void;
  plan(plan: TransactionPlan): void;
  /** An outcome of one of many messages, by its number. */
  one(number: number, outcome: RecipientOutcome, text?: string): void;
  /** Nothing follows of the many. */
  tally(tally: Tally, times: TimeTable['rows']): void;
}

/** Shows how many messages are done, until it is cleared away. */
export interface Progress {
  show(done: number, rate: number): void;
  clear(): void;
}

/** What became of all messages. */
export interface Tally {
  /** Messages that were begun. */
  readonly messages: number;
  readonly seconds: number;
  readonly statuses: { readonly [status in RecipientOutcome['status']]: number };
}

type Write = (line: string) => void;

const { cyan, green, magenta, red, yellow } = colours;

/** A line for each recipient, and the times of the session, if they are wanted. Of many messages those that are not accepted, alike in one line. */
export function textSendPrinter(write: Write, times: TimeSum | null): SendPrinter {
  const groups = new Map<string, { readonly line: string; count: number }>();
  const lineOf = (outcome: RecipientOutcome, text: string): string =>
    `${PAINT[outcome.status](outcome.status.padEnd(8))}  ${showText(outcome.recipient)}  ${text}`;
  return {
    outcome: (outcome, text = outcomeText(outcome)) => write(lineOf(outcome, text)),
    end() {
      const stages = Object.entries(times?.times ?? {});
      if (stages.length === 0) return;
      const all = stages.reduce((sum, [, milliseconds]) => sum + milliseconds, 0);
      write(`${stages.map(([stage, milliseconds]) => `${stage} ${milliseconds} ms`).join(', ')}: ${all.toFixed(1)} ms in all`);
    },
    plan({ mail, recipients, transfer, body, batches, problem }) {
      if (mail !== '') write(mail);
      for (const { line, problem: own } of recipients) write(own === null ? line : `${line}  ${red(`refused: ${own.text}`)}`.trimStart());
      if (problem === null) write(`${transfer} (${body}${batches === 1 ? '' : `, ${batches} transactions`})`);
      else write(red(`can't be sent: ${problem.text}`));
    },
    one(_, outcome, text = outcomeText(outcome)) {
      if (outcome.status === 'accepted') return;
      // Texts differ by names that a server makes up for each message.
      const kind = [outcome.status, outcome.recipient, outcome.reply?.code ?? text, outcome.reply?.enhanced].join(' ');
      const group = groups.get(kind) ?? { line: lineOf(outcome, text), count: 0 };
      group.count++;
      groups.set(kind, group);
    },
    tally({ messages, seconds, statuses }, rows) {
      for (const { line, count } of groups.values()) write(`${line}${count === 1 ? '' : ` (${count} times)`}`);
      const counts = Object.entries(statuses).filter(([, count]) => count > 0);
      const said = counts.map(([status, count]) => `${count} ${status}`).join(', ');
      write(
        `${messages === 1 ? '1 message' : `${messages} messages`} in ${seconds.toFixed(2)} s, ${Math.round(messages / seconds)}/s: ${said || 'none was begun'}`,
      );
      if (times !== null)
        for (const { stage, count, mean, most } of rows)
          write(`${stage.padEnd(8)}  ${count} times, ${mean} ms on average, ${most} ms at the most`);
    },
  };
}

const PAINT: { readonly [status in RecipientOutcome['status']]: (text: string) => string } = {
  accepted: green,
  refused: red,
  unsent: yellow,
  unknown: magenta,
};

/** A JSON object for each recipient, with the times of the session; of many messages with the number of the message, and at the end one of all. */
export function jsonSendPrinter(write: Write, times: TimeSum): SendPrinter {
  return {
    outcome: (outcome, text) => write(jsonLine({ ...objectOf(outcome, text), timing: times.times })),
    end() {},
    plan: (plan) => write(jsonLine(plan)),
    one: (message, outcome, text) => write(jsonLine({ message, ...objectOf(outcome, text) })),
    tally: ({ messages, seconds, statuses }, rows) =>
      write(
        jsonLine({ messages, seconds: Math.round(seconds * 1000) / 1000, rate: Math.round(messages / seconds), ...statuses, timing: rows }),
      ),
  };
}

function objectOf(outcome: RecipientOutcome, text: string = outcome.reply?.lines.join(' ') ?? outcomeText(outcome)): object {
  const { recipient, status, stage, reply, retry } = outcome;
  const planned = outcome.status === 'refused' ? (outcome.problem?.enhanced ?? null) : null;
  const [code, enhanced] = [reply?.code ?? null, reply?.enhanced ?? planned];
  return { recipient, outcome: status, code, enhanced, text, phase: stage, retry };
}

/** The conversation, as it goes. */
export function traceText(notice: ClientNotice): string | null {
  if (notice.type === 'trace') return notice.from === 'client' ? `${cyan('C:')} ${notice.line}` : `${magenta('S:')} ${notice.line}`;
  return notice.type === 'quirk' ? yellow(`note: ${notice.quirk}`) : null;
}

/** Octets from which on it takes long enough to be looked at. */
const LARGE = 1_048_576;
const WIDTH = 30;
const EVERY_MS = 100;

/** Shows how much of a large message was sent, if standard error is a terminal. */
export function progressBar(octets: number | null): { readonly draw: (taken: number) => void; readonly clear: () => void } {
  const { stderr } = process;
  let last = 0;
  let drawn = false;
  return {
    draw(taken) {
      const now = performance.now();
      if (!stderr.isTTY || taken < LARGE / 16 || (octets !== null && octets < LARGE) || now - last < EVERY_MS) return;
      last = now;
      drawn = true;
      const size = `${(taken / 1_048_576).toFixed(1)} MiB`;
      const done = octets === null ? 0 : Math.min(WIDTH, Math.floor((taken / octets) * WIDTH));
      stderr.write(octets === null ? `\r${size}` : `\r[${'='.repeat(done)}${' '.repeat(WIDTH - done)}] ${size}`);
    },
    clear() {
      if (drawn) stderr.write('\r\x1b[K');
    },
  };
}

/** Shows how many of many messages are done: a bar on the terminal behind standard error, else a line at each tenth. */
export function progressOf(count: number, warn: (line: string) => void): Progress {
  const { stderr } = process;
  let last = 0;
  return {
    show(done, rate) {
      if (!stderr.isTTY) {
        if (count >= 10 && Math.floor((done * 10) / count) > Math.floor(((done - 1) * 10) / count))
          warn(`${done} of ${count}, ${Math.round(rate)}/s`);
        return;
      }
      const now = performance.now();
      if (done < count && now - last < EVERY_MS) return;
      last = now;
      const full = Math.floor((done / count) * WIDTH);
      stderr.write(`\r[${'='.repeat(full)}${' '.repeat(WIDTH - full)}] ${done}/${count}, ${Math.round(rate)}/s\x1b[K`);
    },
    clear() {
      if (last > 0) stderr.write('\r\x1b[K');
    },
  };
}
