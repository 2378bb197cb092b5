// The relay: listeners receive mail, a queue keeps it, and a runner sends it, as the configuration says.

import { Dispatcher, HostBook, PolicyBook, type Queue } from '@ehlo/delivery';
import { type Address, checkServe } from '@ehlo/driver';
import { ConfigError } from './config/check.ts';
import type { ListenerConfig, RelayConfig } from './config/config.ts';
import { type Control, control } from './control/index.ts';
import { settingsOf } from './delivery-settings.ts';
import { Door, listenOptions, placeOf, type RelayTls, serveOptions } from './front/doors.ts';
import { type FrontMeans, frontOf } from './front/front.ts';
import { Guests } from './front/guests.ts';
import { Memory } from './front/holding.ts';
import type { LogLevel } from './front/log.ts';
import type { Policy } from './front/policy.ts';
import { scratchFiles } from './front/scratch.ts';
import { throttled } from './front/throttled.ts';
import { type Means, Runner, wallClock } from './runner/index.ts';
import { type Loaded, load, type OpenQueue, type RelayRuntime } from './runtime.ts';
import { type LogEventName, logEvents, Metrics, type Seen, watched } from './watch/index.ts';

/** Where a relay listens. */
export interface Listening {
  readonly name: string;
  readonly kind: ListenerConfig['kind'];
  readonly address: Address;
  readonly tls: NonNullable<ListenerConfig['tls']>;
}

/**
 * Starts a relay. Resolves when it listens; rejects, and leaves nothing open, with `ConfigError` where the configuration or a file that it
 * names is wrong, and with the runtime's error where a port or the queue can not be had.
 */
export async function startRelay<Tls extends RelayTls>(config: RelayConfig, runtime: RelayRuntime<Tls>): Promise<Relay<Tls>> {
  const loaded = await load(config, runtime);
  const queue = await runtime.queue(config.queue);
  const relay = new Relay(queue, runtime, config);
  try {
    await relay.use(config, loaded);
    return relay;
  } catch (error) {
    await relay.close({ now: true });
    throw error;
  }
}

/** A listener that is open. */
interface Open<Tls> {
  readonly door: Door;
  readonly config: ListenerConfig;
  readonly tls: Tls | null;
}

type Serve = (door: Door, listener: ListenerConfig) => void;

function portOf({ host, port, path }: ListenerConfig): string {
  return path ?? `${host} ${port}`;
}

/** The same of a listener that is open, whose port the system may have chosen. */
function portInUse<Tls>({ door, config }: Open<Tls>): string {
  return portOf(config.path === undefined ? { ...config, port: door.listener.address.port } : config);
}

/** A relay that runs. */
export class Relay<Tls extends RelayTls = RelayTls> {
  readonly #runtime: RelayRuntime<Tls>;
  readonly #queue: OpenQueue['queue'];
  readonly #renewal: number;
  readonly #fixed: { readonly [name in (typeof FIXED)[number]]: string | undefined };
  readonly #metrics = new Metrics();
  readonly #guests = new Guests(() => wallClock.now());
  readonly #memory: Memory;
  readonly #hosts = new HostBook();
  readonly #policies: PolicyBook;
  readonly #stopping = new Set<Promise<void>>();
  /** Doors of sockets that this process was started with, by listener: when one is closed, it is gone. */
  readonly #inherited = new Map<string, Door>();
  #doors: readonly Open<Tls>[] = [];
  #serve: Serve = () => {};
  #control: Control | null = null;
  #seenQueue: Queue | null = null;
  #policy: Policy | null = null;
  #runner: Runner | null = null;
  #closing: Promise<void> | null = null;
  #reloading: Promise<void> = Promise.resolve();
  #ids = 0;

  /** For `startRelay`. */
  constructor({ queue, policies = new PolicyBook(), lease = LEASE }: OpenQueue, runtime: RelayRuntime<Tls>, config: RelayConfig) {
    this.#queue = queue;
    this.#renewal = Math.max(Math.floor(lease / RENEWALS), SOONEST);
    this.#policies = policies;
    this.#runtime = runtime;
    this.#fixed = { queue: JSON.stringify(config.queue), control: JSON.stringify(config.control) };
    this.#memory = new Memory(config.limits.memory);
  }

  get listening(): readonly Listening[] {
    return this.#doors.map(({ door, config: { name, kind, tls } }) => ({ name: name!, kind, address: door.listener.address, tls: tls! }));
  }

  get queue(): Queue {
    return this.#queue;
  }

  /** What carries the deliveries out now; another one after `reload`. */
  get runner(): Runner {
    return this.#runner!;
  }

  /** Sessions with clients. */
  get sessions(): number {
    return this.#doors.reduce((sum, { door }) => sum + door.sessions, 0);
  }

  /**
   * Changes to another configuration. Throws for a wrong one (`ConfigError`, or an error of the runtime), and then nothing has changed. Open sessions
   * continue, with the new rules about who may send; deliveries that have begun continue to their end.
   */
  reload(config: RelayConfig): Promise<void> {
    const reloading = this.#reloading.then(async () => {
      if (this.#closing !== null) throw new Error('the relay is closing');
      for (const name of FIXED) {
        if (JSON.stringify(config[name]) !== this.#fixed[name])
          throw new ConfigError([{ path: name, text: `${name} is not what it was: that takes a restart` }]);
      }
      await this.use(config, await load(config, this.#runtime));
    });
    this.#reloading = reloading.catch(() => {});
    return reloading;
  }

  /** For `startRelay`, and `reload`. */
  async use(config: RelayConfig, loaded: Loaded<Tls>): Promise<void> {
    const { policy, certificate, tls, auth, lookUpSender } = loaded;
    const front = this.#front(config, lookUpSender);
    const throttling = auth === null ? null : throttled(auth, this.#guests, policy.guests, wallClock);
    const handler = (listener: ListenerConfig): ReturnType<typeof frontOf> => frontOf(listener, front, policy.isUser);
    const serve: Serve = (door, listener) => door.serve(serveOptions(listener, config, throttling), handler(listener));
    // What can not be served is told before anything changes.
    for (const listener of config.listeners) checkServe(serveOptions(listener, config, throttling), handler(listener));
    const { next, leaving } = await this.#listenAll(config, tls);
    this.#policy = policy;
    for (const { door, config: listener, tls: own } of next) {
      if (certificate !== null) own?.update(certificate);
      serve(door, listener);
    }
    this.#serve = serve;
    this.#doors = next;
    for (const { door } of leaving) this.#retire(door.close());
    this.#run(config, loaded);
    await this.#open(config);
    for (const { name, address, tls: secured } of this.listening) {
      this.#runtime.log('info', 'listening', { listener: name, address: address.address, port: address.port, tls: secured });
    }
  }

  /** The listeners of a configuration: those that are there stay open. Where one can not be had, all is as it was. */
  async #listenAll(
    config: RelayConfig,
    tls: Tls | null,
  ): Promise<{ readonly next: readonly Open<Tls>[]; readonly leaving: readonly Open<Tls>[] }> {
    const left = [...this.#doors];
    const wanted = config.listeners.map((listener) => {
      const at = left.findIndex(({ door }) => door.place === placeOf(listener));
      return { listener, there: at < 0 ? undefined : left.splice(at, 1)[0] };
    });
    const leaving = left;
    const opened: Open<Tls>[] = [];
    const next: Open<Tls>[] = [];
    // A port that is to be listened on in another way is free when its listener is closed. That resolves when its connections are gone, too.
    const inTheWay = leaving.filter((one) =>
      wanted.some(({ listener, there }) => there === undefined && portOf(listener) === portInUse(one)),
    );
    this.#checkInherited(wanted, inTheWay);
    for (const { door } of inTheWay) void door.listener.close();
    try {
      for (const { listener, there } of wanted) {
        const own = there?.tls ?? (listener.tls === 'off' ? null : tls);
        const one = { door: there?.door ?? (await this.#listen(listener, own)), config: listener, tls: own };
        next.push(one);
        if (there === undefined) opened.push(one);
      }
      return { next, leaving };
    } catch (error) {
      await Promise.allSettled(opened.map(({ door }) => door.close(true)));
      for (const one of inTheWay) await this.#reopen(one);
      throw error;
    }
  }

  /** Throws where a socket that this process was started with would have to be opened anew. */
  #checkInherited(
    wanted: readonly { readonly listener: ListenerConfig; readonly there: Open<Tls> | undefined }[],
    inTheWay: readonly Open<Tls>[],
  ): void {
    const doors = new Set(this.#inherited.values());
    const closing = new Set(inTheWay.filter(({ door }) => doors.has(door)).map(portInUse));
    const problems = wanted.flatMap(({ listener, there }, i) => {
      const isLost = there === undefined && (this.#inherited.has(listener.name!) || closing.has(portOf(listener)));
      return isLost ? [{ path: `listeners.${i}`, text: `listener ${listener.name}: ${INHERITED}` }] : [];
    });
    if (problems.length > 0) throw new ConfigError(problems);
  }

  /** A listener that was closed for another one, which could not be had. Where it can not be had again either, that is told, and it is there no more. */
  async #reopen({ door, config, tls }: Open<Tls>): Promise<void> {
    let again: readonly Open<Tls>[] = [];
    try {
      const opened = await this.#listen(config, tls);
      this.#serve(opened, config);
      again = [{ door: opened, config, tls }];
    } catch (error) {
      this.#runtime.log('error', 'failed', { what: 'listen', listener: config.name, error: (error as Error).message });
    }
    this.#doors = this.#doors.flatMap((one) => (one.door === door ? again : [one]));
    this.#retire(door.close());
  }

  /**
   * Accepts no new connection, lets sessions and transactions end, and gives the rest back to the queue. `now`: sessions are closed at once;
   * transactions that may have delivered are still waited for.
   */
  close({ now = false }: { readonly now?: boolean } = {}): Promise<void> {
    if (now) for (const { door } of this.#doors) void door.close(true);
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#reloading;
    const tell = (): void => {
      this.#runtime.log('info', 'draining', { sessions: this.sessions, orders: this.#runner?.open ?? 0, jobs: this.#runner?.size ?? 0 });
      cancel = wallClock.in(PROGRESS, tell);
    };
    let cancel = wallClock.in(PROGRESS, tell);
    try {
      await Promise.all([...this.#doors.map(({ door }) => door.close()), this.#runner?.stop(), ...this.#stopping]);
      await this.#control?.close();
      await this.#queue.close?.();
    } finally {
      cancel();
    }
    this.#runtime.log('info', 'stopped');
  }

  /** Another runner takes over; the one before it settles what it has begun, and gives the rest back. */
  #run(config: RelayConfig, { policy, outbound, lookUp }: Loaded<Tls>): void {
    if (this.#runner !== null) this.#retire(this.#runner.stop());
    const dispatcher = new Dispatcher(settingsOf(config, policy.directory), Math.random, { hosts: this.#hosts, policies: this.#policies });
    const means = watched(
      { ...outbound, queue: this.#queue, schedule: wallClock, lookUp, boundary: () => crypto.randomUUID(), failed: () => {} },
      (seen) => this.#see(seen),
    );
    this.#seenQueue = means.queue;
    this.#runner = new Runner(dispatcher, means, { hostname: config.hostname, renewal: this.#renewal });
    this.#runner.start();
  }

  #see(seen: Seen): void {
    this.#metrics.see(seen);
    for (const { at: _, event, ...facts } of logEvents(seen)) this.#runtime.log(LEVELS[event] ?? 'info', event, facts);
  }

  /** What `ehlo queue` asks. */
  async #open({ control: place, hostname }: RelayConfig): Promise<void> {
    if (place === undefined || this.#control !== null) return;
    const { socket, metrics } = place;
    this.#control = await control({
      socket,
      hostname,
      queue: this.#queue,
      runner: () => this.runner,
      clients: () => this.sessions,
      wished: (what, job) => this.#see({ type: 'wished', at: wallClock.now(), what, job: job.id }),
      failed: (error, what) => this.#see({ type: 'failed', at: wallClock.now(), error, what }),
      ...(metrics === undefined ? {} : { metrics: { port: metrics, counts: this.#metrics } }),
    });
    this.#runtime.log('info', 'control', { socket, ...(metrics === undefined ? {} : { metrics: this.#control.metrics }) });
  }

  /** For error messages: the listener that could not be opened. */
  async #listen(listener: ListenerConfig, tls: Tls | null): Promise<Door> {
    const name = listener.name!;
    try {
      const door = new Door(placeOf(listener), await this.#runtime.listen(listenOptions(listener, tls), name));
      if (this.#runtime.isInherited?.(name) === true) this.#inherited.set(name, door);
      return door;
    } catch (error) {
      throw Object.assign(error as Error, { listener: name });
    }
  }

  #retire(ending: Promise<void>): void {
    const gone = ending.finally(() => this.#stopping.delete(gone));
    this.#stopping.add(gone);
  }

  #front(config: RelayConfig, lookUp: Means['lookUp']): FrontMeans {
    const { log } = this.#runtime;
    return {
      queue: { put: (jobs, content) => this.#seenQueue!.put(jobs, content) },
      memory: this.#memory,
      scratch: scratchFiles(config.limits.scratch),
      log,
      now: () => wallClock.now(),
      newId: () => `${wallClock.now().toString(36)}.${(++this.#ids).toString(36)}.${crypto.randomUUID().slice(0, 8)}`,
      arrived: () => this.#runner?.poke(),
      policy: () => this.#policy!,
      guests: this.#guests,
      lookUp,
    };
  }
}

/** What stays as it is when a configuration is read again. */
const FIXED = ['queue', 'control'] as const;

const INHERITED =
  'its socket was open when the relay began; with another place, TLS or proxies, or where it was given up, that takes a restart';

/** How much events matter; others are `info`. */
const LEVELS: { readonly [name in LogEventName]?: LogLevel } = {
  attempt: 'debug',
  connected: 'debug',
  disconnected: 'debug',
  put: 'debug',
  failed: 'error',
  lost: 'warn',
};

/** Of a queue that says nothing of it; milliseconds. And how often one is renewed while it lasts: two may fail. */
const LEASE = 30_000;
const RENEWALS = 3;
/** Milliseconds between two at the least. */
const SOONEST = 100;

/** How often a relay that stops says how far it is; milliseconds. */
const PROGRESS = 2000;
