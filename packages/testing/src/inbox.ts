import { checkOptions, showText, type TableOf } from '@ehlo/engine';
import type { Mail } from './mail.ts';
import { like } from './matching.ts';
import type { Pattern } from './stub.ts';

/** Which mail is waited for: all that is given has to fit. Texts may have `*` and `?`, without regard to case; expressions and functions are possible, too. */
export interface Wanted {
  /** One of the recipients of the envelope. */
  readonly to?: Pattern;
  /** The sender of the envelope. */
  readonly from?: Pattern;
  /** The subject, decoded. */
  readonly subject?: Pattern;
  /** Who the client was by AUTH. */
  readonly identity?: Pattern;
  /** Fields of the header, by name. */
  readonly header?: { readonly [name: string]: Pattern };
  /** Milliseconds to wait. Default 4000: less than most runners of tests wait. */
  readonly within?: number;
}

/** What a mail may be asked for: every name. */
export const WANTED: TableOf<Omit<Wanted, 'within'>> = { to: 'any', from: 'any', subject: 'any', identity: 'any', header: 'object' };
const NEXT: TableOf<Wanted> = { ...WANTED, within: [0] };

/** No mail came that was waited for. Its message says what did come, and why that did not match. */
export class NoMailError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoMailError';
  }
}

interface Waiter {
  readonly wanted: Wanted;
  readonly found: (mail: Mail) => void;
  readonly failed: (error: Error) => void;
}

const WITHIN = 4000;

/** Mails as they come, and who waits for them. */
export class MailInbox {
  readonly #mails: Mail[] = [];
  readonly #given: WeakSet<Mail> = new WeakSet();
  readonly #waiters: Set<Waiter> = new Set();
  readonly #keep: number;
  readonly #also: (empty: boolean) => readonly string[];
  #failure: Error | null = null;

  /** `keep` mails at the most, the newest; `also` says what else has happened, beside the mails that came or where none did. */
  constructor(keep: number, also: (empty: boolean) => readonly string[]) {
    this.#keep = keep;
    this.#also = also;
  }

  get mails(): readonly Mail[] {
    return [...this.#mails];
  }

  add(mail: Mail): void {
    this.#mails.push(mail);
    if (this.#mails.length > this.#keep) this.#mails.shift();
    for (const waiter of this.#waiters) {
      if (misfit(mail, waiter.wanted) !== null) continue;
      this.#given.add(mail);
      return waiter.found(mail);
    }
  }

  forget(): void {
    this.#mails.length = 0;
  }

  /** Whoever waits, and will wait, is told this. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const waiter of [...this.#waiters]) waiter.failed(this.#failure);
  }

  /** The oldest that fits and was not given before, or the next that comes. */
  async next(given: Wanted): Promise<Mail> {
    const wanted = checkOptions(NEXT, given);
    if (this.#failure !== null) throw this.#failure;
    const here = this.#mails.find((mail) => !this.#given.has(mail) && misfit(mail, wanted) === null);
    if (here !== undefined) {
      this.#given.add(here);
      return here;
    }
    const { within = WITHIN } = wanted;
    let late: ReturnType<typeof setTimeout> | undefined;
    let waiter: Waiter | undefined;
    try {
      return await new Promise<Mail>((found, failed) => {
        waiter = { wanted, found, failed };
        this.#waiters.add(waiter);
        late = setTimeout(() => failed(new NoMailError(this.#whatCame(wanted, within))), within);
      });
    } finally {
      clearTimeout(late);
      this.#waiters.delete(waiter!);
    }
  }

  #whatCame(wanted: Wanted, within: number): string {
    const asked = Object.entries({ to: wanted.to, from: wanted.from, subject: wanted.subject, identity: wanted.identity, ...wanted.header })
      .filter(([, pattern]) => pattern !== undefined)
      .map(([name, pattern]) => `${name} ${shownPattern(pattern!)}`);
    const came = this.#mails.map((mail, i) => {
      const why = this.#given.has(mail) ? 'was given before' : misfit(mail, wanted);
      return `  ${i + 1}. from <${mail.envelope.from}> to ${mail.envelope.to.map((to) => `<${to}>`).join(', ')}, ${JSON.stringify(showText(mail.subject))}: ${why}`;
    });
    const head = `no mail${asked.length === 0 ? '' : ` with ${asked.join(', ')}`} in ${within} ms`;
    if (came.length > 0) return [`${head}; these came:`, ...newest(came), ...this.#also(false)].join('\n');
    return [`${head}; none came at all`, ...this.#also(true)].join('\n');
  }
}

/** As many lines as somebody reads. */
export function newest(lines: readonly string[]): readonly string[] {
  const left = lines.length - SHOWN;
  return left > 0 ? [`  … ${left} before`, ...lines.slice(-SHOWN)] : lines;
}

const SHOWN = 10;

/** Why a mail is not the one that is wanted; null: it is. */
export function misfit(mail: Mail, { to, from, subject, identity, header = {} }: Wanted): string | null {
  const { envelope } = mail;
  if (to !== undefined && !envelope.to.some((one) => like(to, one))) return `to is not ${shownPattern(to)}`;
  if (from !== undefined && !like(from, envelope.from)) return `from is not ${shownPattern(from)}`;
  if (subject !== undefined && !like(subject, mail.subject)) return `subject is not ${shownPattern(subject)}`;
  if (identity !== undefined && !like(identity, mail.identity ?? ''))
    return `identity is ${JSON.stringify(mail.identity)}, not ${shownPattern(identity)}`;
  const odd = Object.entries(header).find(([name, pattern]) => !mail.headers(name).some((value) => like(pattern, value)));
  return odd === undefined ? null : `${odd[0]} is ${JSON.stringify(mail.header(odd[0]))}, not ${shownPattern(odd[1])}`;
}

/** As messages show it. */
export function shownPattern(pattern: Pattern): string {
  return typeof pattern === 'string'
    ? JSON.stringify(pattern)
    : typeof pattern === 'function'
      ? 'what the function wants'
      : String(pattern);
}
