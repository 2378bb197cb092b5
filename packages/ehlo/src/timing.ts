import type { ClientNotice } from '#adapter';

/** The stages of a session with a server, in their order. `tls` is STARTTLS and each handshake, `data` the content, and `end` its reply. */
export const TIMED = ['connect', 'tls', 'greeting', 'hello', 'auth', 'mail', 'rcpt', 'data', 'end'] as const;
export type Timed = (typeof TIMED)[number];

/** Milliseconds of each stage that there was. */
export type Times = { readonly [stage in Timed]?: number };

const STAGES: { readonly [verb: string]: Timed } = {
  EHLO: 'hello',
  HELO: 'hello',
  LHLO: 'hello',
  STARTTLS: 'tls',
  AUTH: 'auth',
  MAIL: 'mail',
  RCPT: 'rcpt',
  DATA: 'data',
};

/**
 * How long each stage of a session takes, by what is told of it with `trace`: from its own beginning, or from the end of the one before where
 * commands go without waiting for replies. `tell` gets each.
 */
export class Timing {
  readonly #tell: (stage: Timed, milliseconds: number) => void;
  readonly #now: () => number;
  #last: number;
  #greeted = false;
  /** Stages of the commands that wait for their reply; null: of none that counts. */
  readonly #waiting: (Timed | null)[] = [];
  /** When the content was taken so far. */
  #content: number | null = null;

  constructor(tell: (stage: Timed, milliseconds: number) => void, now: () => number = () => performance.now()) {
    this.#tell = tell;
    this.#now = now;
    this.#last = now();
  }

  /** For the option `notice` of a client with `trace`. */
  readonly notice = (notice: ClientNotice): void => {
    if (notice.type === 'connected') this.#mark('connect');
    if (notice.type === 'secured') this.#mark('tls');
    if (notice.type !== 'trace') return;
    if (notice.from === 'client') this.#said(notice.line);
    else if (notice.line[3] !== '-') this.#answered(notice.line);
  };

  /** For the option `progress` of `send`. */
  readonly progress = (): void => {
    this.#content = this.#now();
  };

  #said(line: string): void {
    // What goes on with AUTH is no command.
    if (this.#waiting[0] === 'auth') return;
    // Between commands the server is not waited for.
    if (this.#waiting.length === 0) this.#last = this.#now();
    const [verb = '', , last] = line.toUpperCase().split(' ');
    this.#waiting.push(verb === 'BDAT' ? (last === 'LAST' ? 'end' : 'data') : (STAGES[verb] ?? null));
  }

  #answered(line: string): void {
    if (!this.#greeted) {
      this.#greeted = true;
      return this.#mark('greeting');
    }
    const [stage = 'end'] = this.#waiting;
    if (stage === 'end' && this.#content !== null) this.#mark('data', this.#content);
    this.#content = null;
    if (stage === null) this.#last = this.#now();
    else this.#mark(stage);
    // A challenge is no end of AUTH, and 354 no end of the message.
    if (line.startsWith('334')) return;
    this.#waiting.shift();
    if (stage === 'data' && line.startsWith('354')) this.#waiting.unshift('end');
  }

  #mark(stage: Timed, now: number = this.#now()): void {
    this.#tell(stage, Math.max(0, now - this.#last));
    this.#last = now;
  }
}

/** Times of one session, added up by stage. */
export class TimeSum {
  readonly #sums: Map<Timed, number> = new Map();
  readonly add = (stage: Timed, milliseconds: number): void => void this.#sums.set(stage, (this.#sums.get(stage) ?? 0) + milliseconds);

  /** In the order of the stages. */
  get times(): Times {
    return Object.fromEntries(TIMED.filter((stage) => this.#sums.has(stage)).map((stage) => [stage, rounded(this.#sums.get(stage)!)]));
  }
}

/** Times of many sessions: how often each stage was, how long it took on average and at the most. */
export class TimeTable {
  readonly #rows: Map<Timed, { count: number; sum: number; most: number }> = new Map();
  readonly add = (stage: Timed, milliseconds: number): void => {
    const { count, sum, most } = this.#rows.get(stage) ?? { count: 0, sum: 0, most: 0 };
    this.#rows.set(stage, { count: count + 1, sum: sum + milliseconds, most: Math.max(most, milliseconds) });
  };

  get rows(): readonly { readonly stage: Timed; readonly count: number; readonly mean: number; readonly most: number }[] {
    return TIMED.flatMap((stage) => {
      const row = this.#rows.get(stage);
      return row === undefined ? [] : [{ stage, count: row.count, mean: rounded(row.sum / row.count), most: rounded(row.most) }];
    });
  }
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
