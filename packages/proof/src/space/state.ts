// States of a server session: its phase, with the facts that guards and conditions read.

import type { Counters, Question, ServerOptions, Snapshot } from '@ehlo/engine';
import { latin1 } from '@ehlo/grammar';

type Counts = Snapshot['counts'];

/** What tells one state from another. Counts belong to it as far as the setup has a small limit of them. */
export function stateOf(snapshot: Snapshot, { limits = {}, smallLimits = {} }: ServerOptions): string {
  const { phase, facts, transaction, counts, question, input, ended, clock, outbox } = snapshot;
  const { envelope, message, verdict } = transaction;
  const { refusedChunk, hello } = facts;
  const limited: { readonly [name: string]: number | undefined } = { ...limits, ...smallLimits };
  const reader = message?.reader;
  const known: { readonly [name: string]: string | number | boolean | undefined } = {
    asked: asked(question) ?? undefined,
    tls: facts.tls !== null,
    hello: hello?.verb,
    own: facts.own.length > 0,
    identity: facts.identity !== null,
    proxied: facts.proxied,
    'turned away': facts.turnedAway,
    'speaks smtp': facts.speaksSmtp,
    'refused chunk':
      refusedChunk === null ? undefined : `${refusedChunk.reply.code}${refusedChunk.last ? ' last' : ''} of ${refusedChunk.left}`,
    recipients: envelope === null ? undefined : Math.min(envelope.recipients.length, 2),
    body: envelope?.parameters.body,
    utf8: envelope?.parameters.smtpUtf8,
    'only refused': transaction.onlyRefused,
    reader:
      reader === undefined
        ? undefined
        : 'state' in reader
          ? reader.state
          : `${reader.left}${reader.last ? ' last' : ''}${reader.cr ? ' cr' : ''}`,
    size: limited.messageSize === undefined || message === null ? undefined : Math.min(message.size, limited.messageSize + 5),
    verdict: verdict === null ? undefined : verdict.reply.code === 421 ? 'closes' : 'refuses',
    decided: transaction.decided,
    input: input.length > 0,
    ended,
    held: clock.timer === 'faultDelay',
    leaves: outbox.farewell !== null,
    ...Object.fromEntries(Object.entries(counted(counts)).filter(([name]) => limited[name] !== undefined)),
  };
  const shown = Object.entries(known).filter(([, value]) => value !== undefined && value !== false && value !== 0);
  return [phase, ...shown.map(([name, value]) => (value === true ? name : `${name} ${value}`))].join(', ');
}

function counted({ transactions, faults, idleCommands, refusedRecipients, smallChunks, domains }: Counts): {
  readonly [name: string]: number;
} {
  return { transactions, faults, idleCommands, refusedRecipients, smallChunks, recipientDomains: domains.size };
}

function asked(question: Question | null): string | null {
  return question === null ? null : `${question.type}${'verb' in question ? ` ${question.verb}` : ''}`;
}

/** What a refused command must leave as it is. */
export function keptOf({ facts, transaction }: Snapshot): string {
  const { hello, identity, tls, peer, own, proxied } = facts;
  const { envelope, forwarded, verdict, message } = transaction;
  return JSON.stringify({ hello, identity, tls, peer, own, proxied, envelope, forwarded, verdict, message: message !== null });
}

/** How many replies the session owes: those that are held back, and those to what is not yet answered. */
export function owedOf(snapshot: Snapshot, options: ServerOptions): number {
  const { late } = snapshot.outbox;
  return [...latin1(late, 0, late.length).matchAll(/^[2-5][0-9]{2}(?: .*)?\r$/gm)].length + unansweredOf(snapshot, options);
}

function unansweredOf(snapshot: Snapshot, { preset, extensions }: ServerOptions): number {
  const { phase, question, transaction, facts, input } = snapshot;
  const recipients = transaction.envelope?.recipients.length ?? 0;
  const toMessage = preset === 'lmtp' ? recipients : 1;
  const reader = transaction.message?.reader;
  switch (phase) {
    case 'wait':
    case 'connect':
    case 'greeting':
      return input.length > 0 ? 2 : 1;
    case 'data':
      return toMessage;
    case 'chunk':
      return reader !== undefined && 'last' in reader && reader.last ? toMessage : 1;
    case 'drain':
      return facts.refusedChunk!.last && extensions?.includes('CHUNKING') !== false ? toMessage : 1;
    case 'message':
      return toMessage - transaction.decided;
    default:
      return question === null ? 0 : 1;
  }
}

/** What can be read from outside of what is counted. */
export function spent({ faults }: Counters, { limits: { faults: most = Number.POSITIVE_INFINITY } = {} }: ServerOptions): boolean {
  return faults >= most;
}
