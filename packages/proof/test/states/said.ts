// What a session says, predicted: from test-vectors/states.json, from what the program has said, and from nothing that the engine makes of it.
import { type Answer, type Question, type Rejection, type Row, ServerSession } from '@ehlo/engine';
import { vi } from 'vitest';
import { Machine } from '../../../engine/src/server/machine.ts';
import { type Codes, server } from './server.ts';

/** What a trigger brings, as far as codes depend on it. */
export interface Given {
  readonly verb?: string | null;
  readonly code?: string;
  readonly cause?: string;
  readonly size?: number;
  readonly question?: Question;
}

/** Replies that a session has to say later. */
interface Kept {
  greeting?: Codes | null;
  verdict?: Codes | null;
  refusedChunk?: Codes | null;
}

/** What the program has said of a question: yes, no, or nothing in time. */
type Told = { readonly answer: Answer } | { readonly rejection: Rejection } | { readonly unanswered: string };

const BEYOND_ASCII = /\P{ASCII}/u;

/** Where a reply is said in place of that of the row: as its words have it. */
const INSTEAD: { readonly [reply: string]: (question: Question, codes: Codes, text: string | undefined) => boolean } = {
  priority: (question) => question.type === 'mail' && question.priority !== null,
  expn: (question, _, text) => question.type === 'info' && text !== undefined,
  rcptAscii: (question, [code], text) => code === 251 && isHidden(question, text),
  rcptMovedAscii: (question, [code], text) => question.type === 'rcpt' && code === 551 && isHidden(question, text),
  vrfyAscii: (question, _, text) => question.type === 'info' && isHidden(question, text),
  vrfyRefusedAscii: (question, [code], text) => question.type === 'info' && code !== 421 && isHidden(question, text),
};

/** A text that shows a mailbox to a client that does not take it. */
function isHidden(question: Question, text = ''): boolean {
  if (!BEYOND_ASCII.test(text)) return false;
  if (question.type === 'rcpt') return question.envelope.parameters.smtpUtf8 !== true;
  return question.type === 'info' && (question.verb === 'VRFY' || question.verb === 'EXPN') && !question.smtpUtf8;
}

export class Said {
  readonly #kept = new WeakMap<Machine, Kept>();
  #told: Told | null = null;
  #farewell: Rejection | undefined;
  /** The codes by which a fault is refused: those that were predicted of it. */
  fault: Codes | null = null;

  /** Listens to the program from now on. */
  constructor() {
    const { accept, expire } = Machine.prototype;
    const { reject, discard, shutdown } = ServerSession.prototype;
    const said = this;
    vi.spyOn(Machine.prototype, 'accept').mockImplementation(function (this: Machine, question, answer) {
      return said.#during({ answer }, () => accept.call(this, question, answer));
    });
    vi.spyOn(Machine.prototype, 'expire').mockImplementation(function (this: Machine, question) {
      return said.#during({ unanswered: question.type }, () => expire.call(this, question));
    });
    vi.spyOn(ServerSession.prototype, 'reject').mockImplementation(function (this: ServerSession, question, rejection) {
      return said.#during({ rejection }, () => reject.call(this, question, rejection));
    });
    vi.spyOn(ServerSession.prototype, 'discard').mockImplementation(function (this: ServerSession, rejection) {
      return said.#during({ rejection }, () => discard.call(this, rejection));
    });
    vi.spyOn(ServerSession.prototype, 'shutdown').mockImplementation(function (this: ServerSession, rejection) {
      shutdown.call(this, rejection);
      said.#farewell = rejection;
    });
  }

  #during<T>(told: Told, act: () => T): T {
    const before = this.#told;
    this.#told = told;
    try {
      return act();
    } finally {
      this.#told = before;
    }
  }

  /** The codes of a named reply. */
  codes({ policy }: Machine, name: string): Codes {
    const { lmtp, ...smtp } = server.replies[name]!;
    const { code, enhanced } = policy.protocol === 'lmtp' ? (lmtp ?? smtp) : smtp;
    return [code, enhanced];
  }

  /** The codes of a fault that no guard and no row names. */
  faultCodes(machine: Machine, on: string, code: string, rule?: string): Codes {
    const found = server.faults.find(
      (one) => (one.on ?? on) === on && (one.code ?? code) === code && (one.rule === undefined || one.rule === rule),
    );
    return this.codes(machine, found!.reply);
  }

  /** The codes that a row says; null: nothing is. What has to be said later is kept. */
  of(machine: Machine, row: Row, given: Given): Codes | null {
    const { effect, reply: name } = row;
    const kept = this.#kept.get(machine) ?? {};
    this.#kept.set(machine, kept);
    const base = name === undefined ? null : this.codes(machine, name);
    const gift = base === null ? this.#given(machine, row, given) : base;
    const own = this.#answered(machine, row, base ?? gift, given);
    if (effect === 'holdGreeting') kept.greeting = own;
    if (effect === 'beginData' || effect === 'beginChunks') kept.verdict = null;
    if (effect === 'refuseMessage' && machine.transaction.message !== null && machine.transaction.verdict === null)
      kept.verdict = this.#told === null ? this.faultCodes(machine, row.on, given.cause!) : gift;
    if (effect === 'refuseFirstChunk') kept.verdict = gift;
    if (effect === 'failChunk') kept.verdict = kept.refusedChunk!;
    if (effect === 'refuseChunk')
      kept.refusedChunk = machine.counts.faults + 1 >= machine.policy.limits.faults ? this.codes(machine, 'tooManyFaults') : this.fault;
    const says = effect === undefined ? (name === undefined ? null : 'row') : server.effects[effect]!.says;
    if (says === null) return null;
    const tooLarge = given.code === 'too-large' && Number.isFinite(given.size);
    const lost = given.size === Number.POSITIVE_INFINITY ? 'bdatLost' : 'draining';
    const all: { readonly [says: string]: Codes | null | undefined } = {
      row: own,
      program: own,
      given: base ?? gift,
      verdict: kept.verdict ?? base,
      refusedChunk: kept.refusedChunk,
      greeting: base === null ? kept.greeting : own,
      lost: base ?? (tooLarge ? this.fault : this.codes(machine, lost)),
      content: [421, '4.3.2'],
      challenge: [334, undefined],
    };
    return all[says]!;
  }

  /** What triggers the row gives this reply. */
  #given(machine: Machine, { on }: Row, { question }: Given): Codes | null {
    if (on === 'leave') return this.#farewell === undefined ? this.codes(machine, 'shutdown') : refusal(this.#farewell);
    if (on !== 'rejected' && on !== 'refuse-message') return this.fault;
    const told = this.#told;
    if (told !== null && 'rejection' in told) return refusal(told.rejection);
    if (told === null || !('unanswered' in told)) return null;
    return this.codes(machine, server.unanswered[question!.type] ?? server.unanswered.default!);
  }

  /** What the answer of the program makes of the reply of the row. */
  #answered(machine: Machine, { on, reply }: Row, base: Codes | null, { question }: Given): Codes | null {
    if (base === null || question === undefined || this.#told === null) return base;
    const answer: Answer = 'answer' in this.#told ? this.#told.answer : {};
    const { text } = 'rejection' in this.#told ? this.#told.rejection : answer;
    const names = Object.entries(server.instead).filter(([, { of }]) => of.includes(reply ?? on));
    const changed = (codes: Codes): Codes => [answer.code ?? codes[0], answer.enhanced ?? codes[1]];
    let codes = changed(base);
    for (const [name] of names) {
      // What stands for a text that is hidden is said as it is.
      if (INSTEAD[name]!(question, codes, text))
        codes = isHidden(question, text) && name !== 'expn' ? this.codes(machine, name) : changed(this.codes(machine, name));
    }
    return codes;
  }
}

/** The codes of a refusal, as the program gives them: RFC 2034 4 wants an enhanced code, RFC 3463 3.1 has X.0.0 for what says no more. */
function refusal({ code, enhanced = `${String(code)[0]}.0.0` }: Rejection): Codes {
  return [code, enhanced];
}
