// What a client session and its transactions know, and what of it has changed since they were looked at last.

export type Facts = { readonly [name: string]: unknown };
export type List = readonly unknown[];

/** The facts of a session that guards can read and effects can change, and of each a value that changes with it. */
function sessionFacts(core: Facts): ReadonlyMap<string, unknown> {
  const { exchange, body, due } = core as { exchange: Facts | null; body: Facts | null; due: List };
  const whole =
    'tls capabilities authenticated redactor quitting leaving closing half mails command flight reply answered withheld premature'.split(
      ' ',
    );
  return new Map<string, unknown>([
    ...whole.map((name) => [name, core[name]] as const),
    ['exchange', exchange && [exchange.response, exchange.challenges]],
    ['body', body && [body.writer, body.ended, body.end, body.done]],
    ['due', [due.length, due[0]]],
    ['domains', (core.domains as Set<string>).size],
    ['transactions', (core.transactions as List).length],
  ]);
}

/** Those of a transaction. */
function transactionFacts(transaction: Facts): ReadonlyMap<string, unknown> {
  const each = ['phase', 'asked', 'pending', 'open', 'untold', 'ends', 'refusal'];
  return new Map([...each.map((name) => [name, transaction[name]] as const), ['accepted', (transaction.accepted as List).length]]);
}

/** What a session and each of its transactions knew when it was looked at last. */
const looked = new WeakMap<Facts, ReadonlyMap<string, unknown>>();

/** What has changed since. */
export function look(core: Facts, transactions: readonly Facts[]): string[] {
  const all = [[core, sessionFacts(core)] as const, ...transactions.map((one) => [one, transactionFacts(one)] as const)];
  return all.flatMap(([of, now]) => {
    const before = looked.get(of) ?? now;
    looked.set(of, now);
    return changed(before, now);
  });
}

function changed(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): string[] {
  const flat = (value: unknown): List => (Array.isArray(value) ? value : [value]);
  return [...before.keys()].filter((name) => {
    const [was, is] = [flat(before.get(name)), flat(after.get(name))];
    return was.length !== is.length || was.some((one, i) => one !== is[i]);
  });
}
