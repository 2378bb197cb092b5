// `--server-says`: the answers of a server, without a connection.
import type { DeliveryOutcome, Failed, Opened, OpenOrder } from '@ehlo/delivery';
import { type Reply, replyOf } from '@ehlo/grammar';
import { RouteError } from './route-options.ts';

/** Where in a session something is said, and what it may be. */
const STAGES = {
  CONNECT: { replies: null, lost: false },
  GREETING: { replies: 'refusal', lost: true },
  EHLO: { replies: 'refusal', lost: true },
  TLS: { replies: null, lost: false },
  MAIL: { replies: 'refusal', lost: true },
  RCPT: { replies: 'any', lost: true },
  DATA: { replies: 'refusal', lost: true },
  END: { replies: 'any', lost: true },
} as const;

type StageName = keyof typeof STAGES;

interface Saying {
  readonly stage: StageName;
  /** Of this host alone. */
  readonly host: string | null;
  /** Null: it fails, or the connection is lost. */
  readonly reply: Reply | null;
  /** How often. */
  left: number;
}

const FORM = /^(?:(\d{1,4})x\s+)?([A-Z]+)(?:@(\S+))?(?:\s+(.*))?$/i;

/** What servers say, by stage: the first that is given and not used up. Where none is, the server agrees. */
export class ServerScript {
  readonly #sayings: readonly Saying[];
  readonly #offers: Opened['extensions'];

  /** Each text is `[Nx] STAGE[@HOST] [REPLY | lost]`; `offers` is what EHLO answers. Throws `RouteError`. */
  constructor(texts: readonly string[], offers: readonly string[]) {
    this.#sayings = texts.map(sayingOf);
    this.#offers = Object.fromEntries(
      offers.map((line) => {
        const [keyword = '', ...parameters] = line.trim().split(/\s+/);
        return [keyword.toUpperCase(), parameters];
      }),
    );
  }

  /** What comes of a connection. */
  open({ target: { host }, tls: { mode } }: OpenOrder): Omit<Opened, 'type' | 'to'> | Omit<Failed, 'type' | 'to'> {
    if (this.#take('CONNECT', host) !== null) return { stage: 'connect' };
    for (const [name, stage] of [
      ['GREETING', 'greeting'],
      ['EHLO', 'hello'],
    ] as const) {
      const said = this.#take(name, host);
      if (said !== null) return { stage, ...(said.reply === null ? {} : { reply: said.reply }) };
    }
    const demands = mode !== 'opportunistic' && mode !== 'clear';
    const offered = 'STARTTLS' in this.#offers;
    if (mode === 'clear' || (!offered && !demands)) return { extensions: this.#offers, tls: false, verified: false };
    if (!offered) return { stage: 'tls', result: 'starttls-not-supported' };
    if (this.#take('TLS', host) !== null) return { stage: 'tls', result: 'validation-failure' };
    return { extensions: this.#offers, tls: true, verified: true };
  }

  /** What becomes of a recipient, and whether the session goes on. */
  send(host: string): { readonly outcome: DeliveryOutcome; readonly open: boolean } {
    let accepted: Reply = { code: 250, lines: ['OK'] };
    for (const [name, stage] of [
      ['MAIL', 'mail'],
      ['RCPT', 'rcpt'],
      ['DATA', 'data'],
      ['END', 'message'],
    ] as const) {
      const said = this.#take(name, host);
      if (said === null) continue;
      const { reply } = said;
      if (reply === null && stage === 'message') return { outcome: { status: 'unknown', reply: null }, open: false };
      if (reply === null) return { outcome: { status: 'unsent', stage, cause: 'lost', reply: null }, open: false };
      if (reply.code < 400) accepted = reply;
      else return { outcome: { status: 'refused', stage, permanent: reply.code >= 500, reply }, open: reply.code !== 421 };
    }
    return { outcome: { status: 'accepted', reply: accepted }, open: true };
  }

  #take(stage: StageName, host: string): Saying | null {
    const found = this.#sayings.find((one) => one.stage === stage && one.left > 0 && (one.host === null || one.host === host));
    if (found !== undefined) found.left--;
    return found ?? null;
  }
}

function sayingOf(text: string): Saying {
  const fail = (wrong: string): never => {
    throw new RouteError(`--server-says '${text}': ${wrong}`);
  };
  const [, times, word = '', host, rest = ''] = FORM.exec(text.trim()) ?? [];
  const stage = word.toUpperCase() as StageName;
  if (!Object.hasOwn(STAGES, stage)) return fail(`it must begin with a stage, one of ${Object.keys(STAGES).join(', ')}`);
  if (times !== undefined && Number(times) === 0) return fail('how often it is said must be more than 0');
  const base = { stage, host: host?.toLowerCase() ?? null, left: times === undefined ? Number.POSITIVE_INFINITY : Number(times) };
  const { replies, lost } = STAGES[stage];
  if (replies === null) return rest === '' ? { ...base, reply: null } : fail(`${stage} fails, and says nothing: leave '${rest}' out`);
  if (lost && rest.toLowerCase() === 'lost') return { ...base, reply: null };
  const [, code, line = ''] = /^([245]\d\d)(?:[ -](.*))?$/.exec(rest) ?? [];
  if (code === undefined) return fail(`what ${stage} is answered must be a reply, such as '${stage} 451 4.3.0 later', or 'lost'`);
  if (replies === 'refusal' && Number(code) < 400)
    return fail(`${stage} is agreed to unless something else is said: give a reply 4xx or 5xx`);
  return { ...base, reply: replyOf(Number(code), [line]) };
}
