import { GUARDS, type Phase, type Row, TABLE } from '@ehlo/engine';

/** A row of the state machine that was taken. */
export interface Taken {
  /** Its place in the table, from 0; `rows` of states.json has the same order. */
  readonly row: number;
  /** The guard or the check that did not hold; null where all did, or the program refused. */
  readonly guard: string | null;
  /** The phase that it led to; null where the session stayed in its own. */
  readonly to: Phase | null;
}

/**
 * Follows a server session by its conversation alone: which rows of the table were taken, and in which phase it is. What a stub says in place of
 * the session counts as the session's own.
 */
export class Follower {
  phase: Phase = 'connect';
  /** The command that waits for its reply. */
  #verb: string | null = null;
  #last = false;
  #lmtp = false;
  /** Recipients that were accepted, and how many of them were decided on. */
  #recipients = 0;
  #decided = 0;

  /** TLS is active: a session that waited for that goes on. */
  secured(): void {
    if (this.phase === 'tls') this.phase = 'greeted';
  }

  /** The client has said a line. */
  client(line: string): void {
    this.secured();
    if (this.phase === 'auth') return;
    const verb = /^[A-Za-z]+/.exec(line)?.[0].toUpperCase() ?? '';
    this.#verb = VERBS.has(verb) ? verb : 'unknown';
    if (verb === 'LHLO') this.#lmtp = true;
    if (verb === 'BDAT') this.#last = /\sLAST\s*$/i.test(line);
  }

  /** The last line of a reply, and the rule of the engine that gave it, where one did. */
  server(line: string, rule: string | null): readonly Taken[] {
    const yes = /^[23]/.test(line);
    const verb = this.#verb;
    this.#verb = null;
    if (this.phase === 'connect') return this.#greeting(line, yes);
    if (rule === 'timeout') return this.#take('time-out', ({ to }) => to === 'closed');
    if (rule === 'shutdown') return this.#take('leave');
    if (this.phase === 'auth') return this.#authentication(line, yes, rule);
    if (verb === null) return this.#conclude(yes);
    return this.#reply(verb, line, yes, rule);
  }

  /** The session is over. */
  closed(): void {
    this.phase = 'closed';
  }

  #greeting(line: string, yes: boolean): readonly Taken[] {
    if (yes) return this.#take('accepted', ({ to }) => to === 'greeted');
    return this.#take('rejected', ({ to }) => to === (line.startsWith('421') ? 'closed' : 'refused'));
  }

  #authentication(line: string, yes: boolean, rule: string | null): readonly Taken[] {
    if (line.startsWith('334')) return this.#take('challenged');
    if (yes) return this.#take('accepted');
    return this.#take(rule !== null && BAD_RESPONSE.has(rule) ? 'bad-response' : 'rejected', ({ to }) => to === 'ready');
  }

  #reply(verb: string, line: string, yes: boolean, rule: string | null): readonly Taken[] {
    const before = this.phase;
    const index = TABLE.findIndex(({ on, from }) => on === verb && from.includes(before));
    const row = TABLE[index];
    if (row === undefined) return [];
    if (verb === 'BDAT') return this.#chunk(index, yes, rule);
    const guard = yes ? null : guardOf(index, rule);
    if (guard !== null || row.refuse !== undefined) return [{ row: index, guard, to: null }];
    if (verb === 'AUTH') {
      this.phase = 'auth';
      return [{ row: index, guard, to: 'auth' }, ...this.#authentication(line, yes, rule)];
    }
    if (!yes) {
      const closes = line.startsWith('421');
      return [{ row: index, guard, to: null }, ...this.#take('rejected', ({ to }) => (to === 'closed') === closes)];
    }
    this.phase = row.to ?? before;
    if (verb === 'MAIL') this.#recipients = 0;
    if (verb === 'RCPT') this.#recipients++;
    // Its reply is the greeting of a session that begins anew.
    if (verb === 'XCLIENT') this.phase = 'greeted';
    return [{ row: index, guard, to: this.phase === before ? null : this.phase }];
  }

  /** The reply to a chunk comes when its octets are there. */
  #chunk(row: number, yes: boolean, rule: string | null): readonly Taken[] {
    const { refuse } = TABLE[row]!;
    if (yes || (this.#last && refuse === undefined)) {
      this.phase = 'chunk';
      const taken: Taken = { row, guard: null, to: 'chunk' };
      return [taken, ...(this.#last ? this.#conclude(yes) : this.#take('end-of-chunk', ({ to }) => to === 'chunks'))];
    }
    const before = this.phase;
    if (refuse === undefined) this.phase = this.#last ? 'ready' : 'chunks';
    return [{ row, guard: guardOf(row, rule), to: this.phase === before ? null : this.phase }];
  }

  /** A reply to a message; of LMTP one for each recipient (RFC 2033 4.2). */
  #conclude(yes: boolean): readonly Taken[] {
    const first = this.phase === 'data' || this.phase === 'chunk' ? this.#take('end-of-data', ({ to }) => to === 'message') : [];
    if (this.phase !== 'message') return first;
    if (first.length > 0) this.#decided = 0;
    this.#decided++;
    const to = this.#lmtp && this.#decided < this.#recipients ? 'message' : 'ready';
    return [...first, ...this.#take(yes ? 'accepted' : 'rejected', (row) => row.to === to)];
  }

  #take(on: string, which: (row: Row) => boolean = () => true): readonly Taken[] {
    const row = TABLE.findIndex((one) => one.on === on && one.from.includes(this.phase) && which(one));
    if (row < 0) return [];
    const { to = null } = TABLE[row]!;
    this.phase = to ?? this.phase;
    return [{ row, guard: null, to }];
  }
}

/** The guard or check of a row that gives this reply. */
function guardOf(row: number, rule: string | null): string | null {
  const { guards = [], checks = [] } = TABLE[row]!;
  return rule === null ? null : ([...guards, ...checks].find((name) => GUARDS[name].reply === rule) ?? null);
}

const VERBS: ReadonlySet<string> = new Set(TABLE.map(({ on }) => on).filter((on) => /^[A-Z]+$/.test(on)));

/** What a client that says too much, nonsense or `*` in an exchange is answered by. */
const BAD_RESPONSE: ReadonlySet<string> = new Set(['badBase64', 'authCancelled', 'authLineTooLong']);
