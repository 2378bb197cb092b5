import { showText, type TransactionPlan } from '@ehlo/engine';
import { type ClientNotice, outcomeText, type RecipientOutcome } from '#adapter';
import { colours } from './colours.ts';
import { jsonLine } from './json-line.ts';

/** Shows what becomes of a message. */
export interface SendPrinter {
  outcome(outcome: RecipientOutcome, text?: string): void;
  plan(plan: TransactionPlan): void;
}

type Write = (line: string) => void;

const { cyan, green, magenta, red, yellow } = colours;

/** A line for each recipient. */
export function textSendPrinter(write: Write): SendPrinter {
  return {
    outcome: (outcome, text = outcomeText(outcome)) =>
      write(`${PAINT[outcome.status](outcome.status.padEnd(8))}  ${showText(outcome.recipient)}  ${text}`),
    plan({ mail, recipients, transfer, body, batches, problem }) {
      if (mail !== '') write(mail);
      for (const { line, problem: own } of recipients) write(own === null ? line : `${line}  ${red(`refused: ${own.text}`)}`.trimStart());
      if (problem === null) write(`${transfer} (${body}${batches === 1 ? '' : `, ${batches} transactions`})`);
      else write(red(`can't be sent: ${problem.text}`));
    },
  };
}

const PAINT: { readonly [status in RecipientOutcome['status']]: (text: string) => string } = {
  accepted: green,
  refused: red,
  unsent: yellow,
  unknown: magenta,
};

/** A JSON object for each recipient. */
export function jsonSendPrinter(write: Write): SendPrinter {
  return {
    outcome(outcome, text = outcome.reply?.lines.join(' ') ?? outcomeText(outcome)) {
      const { recipient, status, stage, reply } = outcome;
      const planned = outcome.status === 'refused' ? (outcome.problem?.enhanced ?? null) : null;
      const [code, enhanced] = [reply?.code ?? null, reply?.enhanced ?? planned];
      write(jsonLine({ recipient, outcome: status, code, enhanced, text, phase: stage }));
    },
    plan: (plan) => write(jsonLine(plan)),
  };
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

/** Draws how much of a large message has been taken, if somebody looks: on the terminal behind standard error. */
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
