import type { DeliveryOutcome, Failed, OpenOrder, Outcomes, Transaction } from '@ehlo/delivery';
import { type ClientClosedEvent, type ClientEvent, ClientSession, type TlsInfo } from '@ehlo/engine';
import { octets, PARAMETERS } from '@ehlo/grammar';
import type { RemoteSession } from '@ehlo/relay/runner';
import type { Host, HostSession, HostTls } from './host.ts';
import type { WorldTime } from './world-time.ts';

/** Resolves so many milliseconds later, where the relay lives and moves then. */
export type Pause = (ms: number) => Promise<void>;

/** One value for all sessions of a kind: a policy is made of it once. */
const CLIENT = {
  off: { hostname: 'relay.example', starttls: 'off', parameters: PARAMETERS },
  opportunistic: { hostname: 'relay.example', starttls: 'opportunistic', parameters: PARAMETERS },
  required: { hostname: 'relay.example', starttls: 'required', parameters: PARAMETERS },
} as const;

export type Refusal = Omit<Failed, 'type' | 'to'>;

const HOUR = 3_600_000;

/** A session with a host as the order demands it, or why there is none. */
export async function connectTo(
  host: Host | null,
  order: OpenOrder,
  address: string,
  time: WorldTime,
  pause: Pause,
): Promise<RemoteSession | Refusal> {
  await pause(50);
  if (host === null || isDead(host, time.now()) || host.fails('refused') || host.fails('reset at once')) return { stage: 'connect' };
  const line = new Line(host, order, address, time, pause);
  return (await line.open()) ?? line;
}

/** A connection: the relay's client session and the host's, with what gets lost between them. */
class Line implements RemoteSession {
  opened: RemoteSession['opened'] = { extensions: {}, tls: false, verified: false };
  readonly ended: Promise<void>;
  readonly #host: Host;
  readonly #order: OpenOrder;
  readonly #time: WorldTime;
  readonly #pause: Pause;
  readonly #latency: number;
  readonly #client: ClientSession;
  readonly #server: HostSession;
  /** What the host has said, on its way. */
  #coming: Uint8Array[] = [];
  /** The host is not heard any more. */
  #isDeaf = false;
  #end = (): void => {};
  #closed: ClientClosedEvent | null = null;
  #tls: TlsInfo | null = null;
  #take: (event: ClientEvent) => void = () => {};

  constructor(host: Host, order: OpenOrder, address: string, time: WorldTime, pause: Pause) {
    this.#host = host;
    this.#order = order;
    this.#time = time;
    this.#pause = pause;
    this.#latency = host.fault === 'slow line' ? 5000 : 50;
    this.#client = new ClientSession(CLIENT[starttlsOf(order)]);
    this.#server = host.session(address, time.now());
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Until EHLO is answered under the TLS that is demanded; null: it is. */
  async open(): Promise<Refusal | null> {
    this.#isDeaf = this.#host.fails('silent greeting');
    await this.#until(() => this.#client.phase === 'ready');
    const closed = this.#closed as ClientClosedEvent | null;
    if (closed !== null) return { stage: stageOf(closed), ...(closed.reply === null ? {} : { reply: closed.reply }) };
    const judged = judgeTls(this.#order, this.#tls === null ? null : this.#host.tls);
    if ('stage' in judged) {
      this.close();
      return judged;
    }
    const extensions = Object.fromEntries(this.#client.capabilities?.extensions ?? []);
    this.opened = { extensions, ...judged };
    return null;
  }

  async send(
    { reversePath, parameters, recipients }: Transaction,
    content: AsyncIterable<Uint8Array>,
  ): Promise<Omit<Outcomes, 'type' | 'to'>> {
    const unsent: DeliveryOutcome = { status: 'unsent', stage: 'mail', cause: 'connection', reply: null };
    const outcomes: DeliveryOutcome[] = recipients.map(() => unsent);
    let state: 'envelope' | 'content' | 'settled' = 'envelope';
    this.#take = (event) => {
      if (event.type === 'outcome') outcomes[event.index] = event;
      if (event.type === 'ready') state = 'content';
      if (event.type === 'settled') state = 'settled';
    };
    const client = this.#client;
    this.#tick();
    if (!client.canSend) return { outcomes, open: false };
    client.send({
      reversePath,
      parameters,
      recipients: recipients.map(({ address, parameters }) => ({ forwardPath: address, parameters })),
    });
    this.#flush();
    if (this.#host.fails('lost at MAIL')) this.#lose();
    if (this.#host.fails('garbage reply')) this.#coming = [octets('what?\r\n')];
    await this.#until(() => state !== 'envelope');
    if ((state as string) === 'content') {
      await this.#content(content);
      await this.#until(() => state === 'settled');
    }
    if (this.#host.fails('lost behind the reply')) this.#lose();
    return { outcomes, open: client.canSend };
  }

  close(): void {
    this.#tick();
    if (this.#client.phase === 'ready') this.#client.quit();
    this.#flush();
    this.#coming = [];
    this.#lose();
  }

  async #content(content: AsyncIterable<Uint8Array>): Promise<void> {
    const client = this.#client;
    const breaks = this.#host.fails('lost in the content');
    try {
      for await (const bytes of content) {
        client.write(bytes);
        this.#flush();
        if (breaks) this.#lose();
      }
      this.#tick();
      client.end();
    } catch {
      this.#tick();
      client.abort();
    }
    this.#flush();
    // From here on the host may have it.
    if (this.#host.fails('lost before the reply')) this.#lose();
    if (this.#host.fails('reply never comes')) this.#isDeaf = true;
  }

  /** Octets go to and fro until it is so, or the connection is over; where nothing comes, the client's patience ends. */
  async #until(isDone: () => boolean): Promise<void> {
    this.#tick();
    this.#flush();
    while (!isDone() && this.#closed === null) {
      if (this.#isDeaf) this.#coming = [];
      if (this.#coming.length > 0) {
        await this.#pause(this.#latency);
        this.#tick();
        this.#deliver();
      } else {
        await this.#pause(Math.max(0, this.#client.deadline - this.#time.now()));
        this.#tick();
      }
      this.#flush();
    }
  }

  #tick(): void {
    this.#client.tick(this.#time.now());
    this.#server.session.tick(this.#time.now());
  }

  /** What the client says is with the host at once; what that says is on its way. */
  #flush(): void {
    const client = this.#client;
    for (;;) {
      for (let event = client.nextEvent(); event !== null; event = client.nextEvent()) {
        if (event.type === 'closed') this.#over(event);
        this.#take(event);
      }
      this.#coming.push(...this.#server.pump(this.#time.now()));
      const bytes = client.nextOutput();
      if (bytes !== null) {
        this.#server.session.receive(bytes);
        client.written(bytes.length);
      } else if (client.wants === 'tls' && this.#server.session.wants === 'tls') this.#secure();
      else return;
    }
  }

  #deliver(): void {
    const coming = this.#coming;
    this.#coming = [];
    const byOctet = this.#host.fault === 'octet by octet';
    for (const bytes of coming) {
      if (!byOctet) this.#client.receive(bytes);
      else for (const octet of bytes) this.#client.receive(Uint8Array.of(octet));
    }
    if (this.#server.session.phase === 'closed') this.#client.receiveEnd();
  }

  #secure(): void {
    if (this.#host.tls === null || this.#host.fails('handshake fails')) {
      this.#lose();
      return;
    }
    const authorized = this.#host.tls.name === this.#order.target.host;
    const peerCertificate = { subject: this.#host.tls.name, altNames: '', fingerprint256: '', authorized };
    this.#tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', servername: '', peerCertificate };
    this.#server.session.secured(this.#tls);
    this.#client.secured(this.#tls);
  }

  #lose(): void {
    this.#tick();
    this.#client.lost();
    this.#server.session.lost();
    this.#flush();
  }

  #over(closed: ClientClosedEvent): void {
    this.#closed = closed;
    this.#end();
  }
}

/** Whether nobody is there, for three of every twelve hours. */
export function isDead({ fault }: Pick<Host, 'fault'>, now: number): boolean {
  return fault === 'dead for hours' && now % (12 * HOUR) < 3 * HOUR;
}

/** How a client goes about STARTTLS. */
export function starttlsOf({ tls: { mode } }: OpenOrder): keyof typeof CLIENT {
  return mode === 'clear' ? 'off' : mode === 'opportunistic' ? 'opportunistic' : 'required';
}

/** Whether what a host shows of TLS is what was demanded. */
export function judgeTls(
  { tls: { mode, names, tlsa, testing } }: OpenOrder,
  shown: HostTls | null,
): Refusal | { tls: boolean; verified: boolean } {
  const isNamed = shown !== null && names.includes(shown.name);
  const isMatched = shown !== null && tlsa.some(({ data }) => data === shown.key);
  const verified = mode === 'dane' ? isMatched : isNamed;
  if (testing || (mode !== 'name' && mode !== 'dane') || verified) return { tls: shown !== null, verified };
  const result = shown === null ? 'starttls-not-supported' : mode === 'dane' ? 'validation-failure' : 'certificate-host-mismatch';
  return { stage: 'tls', result };
}

function stageOf({ stage }: ClientClosedEvent): Failed['stage'] {
  if (stage === 'connect') return 'greeting';
  return stage === 'tls' ? 'tls' : 'hello';
}
