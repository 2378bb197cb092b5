// States of a client session: its phase, with the facts that guards read.
import type { ClientFeature } from '@ehlo/engine';

/** What of the engine's own facts tells one state from another; they are seen by a guard that is laid into its tables. */
export interface ClientFacts {
  readonly phase: string;
  readonly tls: object | null;
  readonly capabilities: { readonly extensions: ReadonlyMap<string, readonly string[]> } | null;
  readonly authenticated: string | null;
  readonly exchange: { readonly response: unknown; readonly challenges: number } | null;
  readonly quitting: boolean;
  readonly half: boolean;
  readonly mails: number;
  readonly premature: boolean;
  readonly leaving: { readonly cause: string } | null;
  readonly command: object | null;
  readonly due: readonly { readonly to: string; readonly live: boolean }[];
  readonly transactions: readonly TransactionFacts[];
  readonly output: readonly unknown[];
}

interface TransactionFacts {
  readonly phase: string;
  readonly plan: { readonly transfer: string };
  readonly asking: readonly unknown[];
  readonly asked: number;
  readonly pending: number;
  readonly open: boolean;
  readonly accepted: readonly number[];
  readonly ends: number;
  readonly refusal: object | null;
  readonly untold: number;
}

/** Tells the facts of a session to `see`, as soon as its tables are looked into. It takes no row. */
export function probe(see: (facts: ClientFacts) => void): ClientFeature {
  const phases = [
    'connect',
    'hello',
    'greeted',
    'starttls',
    'tls',
    'ready',
    'auth',
    'challenge',
    'cancelled',
    'command',
    'transaction',
    'quit',
  ];
  const rows = [
    {
      from: phases,
      guards: [
        (facts: ClientFacts): boolean => {
          see(facts);
          return false;
        },
      ],
    },
  ];
  const client = { greeting: rows, 'greeting refused': rows, next: rows, close: rows };
  return { name: 'probe', client } as object as ClientFeature;
}

/** A state by name. How often MAIL was said belongs to it only where that is limited. */
export function clientStateOf(facts: ClientFacts | null, phase: string, stalled: boolean): string {
  if (facts === null || phase === 'closed') return phase;
  const { tls, capabilities, authenticated, exchange, quitting, half, mails, premature, leaving, command, due, transactions, output } =
    facts;
  const offered = capabilities === null ? [] : [...capabilities.extensions.keys()].sort();
  const limit = capabilities?.extensions.get('LIMITS')?.flatMap((word) => /^MAILMAX=([0-9]+)$/.exec(word)?.[1] ?? [])[0];
  const known: { readonly [name: string]: string | number | boolean | undefined } = {
    offered: offered.length === 0 ? undefined : offered.join(' '),
    nothing: capabilities !== null && offered.length === 0,
    tls: tls !== null,
    authenticated: authenticated !== null,
    exchange: exchange === null || !['auth', 'challenge', 'cancelled'].includes(facts.phase) ? undefined : Math.min(exchange.challenges, 2),
    quits: quitting,
    half,
    mails: limit === undefined ? undefined : Math.min(mails, Number(limit)),
    premature,
    leaves: leaving?.cause,
    asks: command !== null && facts.phase === 'command',
    due: due.length === 0 ? undefined : due.map(({ to, live }) => `${to}${live ? '' : '?'}`).join(' '),
    stalled: stalled ? output.length : undefined,
    transport: stalled,
  };
  const shown = Object.entries(known).filter(([, value]) => value !== undefined && value !== false);
  const each = transactions.map(
    ({ phase: at, plan, asking, asked, pending, open, accepted, ends, refusal, untold }) =>
      `${at} by ${plan.transfer}${open ? ' open' : ''} asked ${asked} of ${asking.length} pending ${pending} accepted ${accepted.length} ends ${ends} untold ${untold}${refusal === null ? '' : ' refused'}`,
  );
  return [phase, ...shown.map(([name, value]) => (value === true ? name : `${name} ${value}`)), ...each].join(', ');
}
