// Clients that connect over sockets: a port for each check, and a command for each, where one is given.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { expand, toBytes } from '../octets.ts';
import type { ClientCheck, Task } from './check.ts';
import type { Exit } from './judge.ts';
import type { Peer, Silence } from './peer.ts';
import type { ClientCatalogue, Subject } from './run.ts';

/** The checks of clients that come with this package. */
export function clientChecks(): ClientCatalogue {
  return JSON.parse(readFileSync(new URL('../../dist/client-checks.json', import.meta.url), 'utf8')) as ClientCatalogue;
}

/** What the examiner shows as its certificate, in PEM. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
}

export { shimSubject } from './shim.ts';

/** How a client is started. */
export interface CommandOptions {
  /** A line for the shell, with `{port}`, `{from}` and the like in it. */
  readonly command: string;
  /** The address that it connects to. */
  readonly host: string;
  /** How long it may take, in milliseconds. */
  readonly patience: number;
  readonly identity: Identity | null;
  /** Told of what it prints. */
  readonly printed?: (text: string) => void;
}

/** A client that is a command: it is run once for each check. */
export function commandSubject({ command, host, patience, identity, printed = () => {} }: CommandOptions): Subject {
  return {
    several: /\{(?:recipients|commas)\}|\{each:/.test(command),
    work: async (task, _, examine) => {
      const port = await Port.open(host, identity, examine);
      const folder = mkdtempSync(join(tmpdir(), 'ehlo-conform-'));
      try {
        const line = filled(command, task, port.number, host, folder);
        return await run(line, patience, printed);
      } finally {
        await port.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** A client that somebody starts by hand: it is told the port, and its first session is what counts. */
export function waitingSubject(
  host: string,
  identity: Identity | null,
  told: (check: ClientCheck, port: number) => void,
  signal?: AbortSignal,
): Subject {
  return {
    several: true,
    work: async (_, check, examine) => {
      let done: () => void = () => {};
      const over = new Promise<void>((resolve) => {
        done = resolve;
      });
      signal?.addEventListener('abort', () => done(), { once: true });
      if (signal?.aborted) done();
      const port = await Port.open(host, identity, async (peer) => {
        await examine(peer);
        done();
      });
      told(check, port.number);
      await over;
      await port.close();
      return null;
    },
  };
}

/** The command with its task in it. */
function filled(command: string, task: Task, port: number, host: string, folder: string): string {
  const content = expand(task.content, {});
  const message = join(folder, 'message.eml');
  const lines = join(folder, 'message-lf.eml');
  writeFileSync(message, toBytes(content));
  writeFileSync(lines, toBytes(content.replaceAll('\r\n', '\n')));
  const words: { readonly [name: string]: string } = {
    port: String(port),
    host,
    from: quoted(task.from),
    to: quoted(task.to[0]!),
    recipients: task.to.map(quoted).join(' '),
    commas: quoted(task.to.join(',')),
    message: quoted(message),
    'message-lf': quoted(lines),
  };
  return command
    .replaceAll(/\{each:([^}]*)\}/g, (_, each: string) => task.to.map((to) => each.replaceAll('$', quoted(to))).join(' '))
    .replaceAll(/\{([a-z-]+)\}/g, (whole, name: string) => words[name] ?? whole);
}

/** A word for the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Runs a line of the shell to its end; null where it had to be stopped. */
async function run(line: string, patience: number, printed: (text: string) => void): Promise<Exit> {
  // A group of its own, so that all of it can be stopped.
  const child = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', printed);
  return await new Promise((resolve, reject) => {
    let stopped = false;
    const timer = setTimeout(() => {
      stopped = true;
      if (child.pid !== undefined) kill(child.pid);
    }, patience);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(stopped ? null : (code ?? 1));
    });
  });
}

function kill(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** A port that examines whoever connects. */
class Port {
  readonly #server: Server;
  readonly #sessions: Set<Promise<void>> = new Set();
  readonly #sockets: Set<Socket> = new Set();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(host: string, identity: Identity | null, examine: (peer: Peer) => Promise<void>): Promise<Port> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const port = new Port(server);
    server.on('connection', (socket: Socket) => {
      port.#sockets.add(socket);
      const session = examine(new SocketPeer(socket, identity)).finally(() => {
        socket.end();
        port.#sessions.delete(session);
      });
      session.catch(() => {});
      port.#sessions.add(session);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, host, resolve);
    });
    return port;
  }

  get number(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** The client is done: what it has sent is read to its end. */
  async close(): Promise<void> {
    this.#server.close();
    // Whoever has left sockets open behind it does not say more.
    const late = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, LATE_MS);
    await Promise.all(this.#sessions);
    clearTimeout(late);
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** How long a client's sockets are waited for when it has ended. */
const LATE_MS = 1000;

/** A connection that was accepted. */
class SocketPeer implements Peer {
  #socket: Socket;
  readonly #raw: Socket;
  readonly #identity: Identity | null;
  #chunks: Uint8Array[] = [];
  #over: Silence | null = null;
  #wake: () => void = () => {};

  constructor(socket: Socket, identity: Identity | null) {
    this.#socket = socket;
    this.#raw = socket;
    this.#identity = identity;
    this.#listen(socket);
  }

  async read(ms: number): Promise<Uint8Array | Silence> {
    const limit = performance.now() + ms;
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) return chunk;
      if (this.#over !== null) return this.#over;
      const left = limit - performance.now();
      if (left <= 0) return 'silence';
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed || !this.#socket.writable) resolve();
      else this.#socket.write(bytes, () => resolve());
    });
  }

  async wait(ms: number): Promise<void> {
    await sleep(ms);
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    if (this.#raw.writableEnded || this.#raw.readableEnded) this.#raw.destroy();
    else this.#raw.resetAndDestroy();
    this.#socket.destroy();
  }

  async secure(): Promise<void> {
    if (this.#identity === null) throw new Error('the examiner has no certificate');
    this.#socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close').removeAllListeners('error');
    this.#socket.on('error', () => {});
    this.#chunks = [];
    const secure = new TLSSocket(this.#socket, { isServer: true, ...this.#identity });
    this.#socket = secure;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no handshake in time')), HANDSHAKE_MS);
      const failed = (error: Error): void => {
        clearTimeout(timer);
        reject(error);
      };
      secure.once('error', failed);
      secure.once('close', () => failed(new Error('the connection was closed')));
      secure.once('secure', () => {
        clearTimeout(timer);
        secure.removeListener('error', failed);
        this.#listen(secure);
        resolve();
      });
    });
  }

  #listen(socket: Socket): void {
    const over = (how: Silence): void => {
      if (socket !== this.#socket) return;
      this.#over ??= how;
      this.#wake();
    };
    socket.on('data', (bytes: Uint8Array) => {
      this.#chunks.push(bytes);
      this.#wake();
    });
    socket.on('end', () => over('end'));
    socket.on('error', () => over('reset'));
    socket.on('close', () => over('reset'));
  }
}

const HANDSHAKE_MS = 5000;
