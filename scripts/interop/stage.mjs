// What a scenario with a peer of others needs: a folder, servers, daemons, relays; all is gone when it ends, however it ends.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { serve } from 'ehlo';
import { find } from './programs.mjs';
import { startRelay } from './relay.mjs';
import { startServer } from './server.mjs';

const PATIENCE = 30_000;
/** How much of a program's log is shown where a scenario fails. */
const LINES = 200;
export const CERTS = fileURLToPath(new URL('../../packages/node/test/certs/', import.meta.url));
const EHLO = fileURLToPath(new URL('../../packages/ehlo/bin/ehlo.js', import.meta.url));
const EXAMPLES = new URL('../../examples/', import.meta.url);
export const CA = join(CERTS, 'ca.crt');
export const TLS = ['--cert', join(CERTS, 'server.crt'), '--key', join(CERTS, 'server.key')];

/** A scenario: { name, run }. `play` gets a `Stage`. */
export function scenario(name, play) {
  return {
    name,
    async run() {
      const stage = new Stage();
      try {
        await play(stage);
      } catch (error) {
        for (const log of stage.logs) error.stack += `\n--- ${lastLines(log())}`;
        throw error;
      } finally {
        await stage.clear();
      }
    },
  };
}

/** Of what a program has said. */
function lastLines(text) {
  const lines = text.split('\n');
  return lines.length > LINES ? [`${lines.length - LINES} lines before`, ...lines.slice(-LINES)].join('\n') : text;
}

class Stage {
  /** Open to the users that daemons become. */
  folder = mkdtempSync(join(tmpdir(), 'ehlo-interop-'));
  /** What programs have to say, for who looks into a failure. */
  logs = [];
  #undo = [() => rmSync(this.folder, { recursive: true, force: true })];

  constructor() {
    chmodSync(this.folder, 0o755);
  }

  /** What is done at the end; the last comes first. */
  later(undo) {
    this.#undo.push(undo);
  }

  async clear() {
    const failed = [];
    for (const undo of this.#undo.reverse()) await Promise.resolve(undo()).catch((error) => failed.push(error));
    if (failed.length > 0) throw failed[0];
  }

  path(name) {
    return join(this.folder, name);
  }

  file(name, content) {
    writeFileSync(this.path(name), content, 'latin1');
    return this.path(name);
  }

  /** A copy that every user can read. */
  copy(path, mode = 0o644) {
    const to = this.path(basename(path));
    copyFileSync(path, to);
    chmodSync(to, mode);
    return to;
  }

  /** `ehlo serve --json`. */
  async server(...options) {
    const server = await startServer('--json', ...options);
    this.logs.push(() => `ehlo serve: ${server.errors}`);
    this.later(() => server.remove());
    this.later(() => server.stop());
    return server;
  }

  /** A server within this program, whose decisions are those of a scenario. Other options of `serve` may follow. */
  async serve(preset, handler, options = {}) {
    const errors = [];
    this.logs.push(() => `errors of the handler: ${errors.map((error) => error.stack)}`);
    const told = { ...handler, error: (error) => errors.push(error) };
    const server = await serve({ hostname: 'mx.interop.example', preset, ...options }, told);
    this.later(() => server.close());
    return server;
  }

  /** A program of the examples, which stays and serves; resolves when it listens on the port, or the path of a socket. `said()` is what it has printed. */
  async example(name, where) {
    const { said, hasEnded } = this.#start(process.execPath, [fileURLToPath(new URL(name, EXAMPLES)), `${where}`]);
    await answers(where, hasEnded);
    return said;
  }

  /** `ehlo relay` by a configuration; resolves when it listens on the ports. `crash` is kill -9, and a new one on the same queue; `said()` is what it has printed since. */
  async mailer(config, ports) {
    const file = this.file(`${config.hostname}.json`, JSON.stringify(config));
    const start = async () => {
      const { child, gone, said, hasEnded } = this.#start(process.execPath, [EHLO, 'relay', '--config', file]);
      for (const port of ports) await answers(port, hasEnded);
      return { child, gone, said };
    };
    let running = await start();
    const crash = async () => {
      running.child.kill('SIGKILL');
      await running.gone;
      running = await start();
    };
    return { crash, said: () => running.said() };
  }

  async relay(port) {
    const relay = await startRelay(port);
    this.later(() => relay.close());
    return relay;
  }

  /** Starts a program that stays; resolves when it listens on the ports. */
  async daemon(program, args, ports) {
    const { hasEnded } = this.#start(find(program), args);
    for (const port of ports) await answers(port, hasEnded);
  }

  #start(program, args) {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const gone = once(child, 'exit');
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        said += text;
      });
    }
    this.logs.push(() => `${program}: ${said}`);
    this.later(async () => {
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
      child.kill('SIGTERM');
      await gone;
      clearTimeout(timer);
    });
    return { child, gone, said: () => said, hasEnded: () => child.exitCode !== null || child.signalCode !== null };
  }
}

/**
 * A port that nobody listens on, for programs that can't choose one. It is below those that the system gives to who connects (32768 on), and given once:
 * nobody else takes it before the program listens, or while it is killed and starts again.
 */
export async function freePort() {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    if (GIVEN.has(port)) continue;
    GIVEN.add(port);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

const GIVEN = new Set();

/** Waits until something is so; it is asked often. */
export async function until(what, ask) {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await delay(20);
  }
}

/** `port` may be the path of a socket, too. */
function answers(port, isGone) {
  return until(`an answer on ${port}`, async () => {
    if (isGone()) throw new Error('it has ended');
    const socket = typeof port === 'string' ? connect(port) : connect(port, '127.0.0.1');
    const [found] = await Promise.race([once(socket, 'connect').then(() => [true]), once(socket, 'close').then(() => [false])]).catch(
      () => [false],
    );
    socket.destroy();
    return found;
  });
}

/** The messages that a server has stored: its events, each with the octets of its file. Stops the server: what it had to say is said. */
export async function storedBy(server) {
  assert.equal(await server.stop(), 0, server.errors);
  assert.deepEqual(server.list('tmp'), []);
  const messages = server.events('message').map((message) => ({ ...message, content: server.read(basename(message.file)) }));
  assert.equal(server.list('new').length, messages.length);
  return messages;
}

/** Lines of the conversation that clients have sent. */
export function linesTo(server) {
  return server
    .events('trace')
    .filter(({ from }) => from === 'client')
    .map(({ line }) => line);
}

/** The commands by which a message is given to a program by SMTP. `parameters`: of MAIL; a recipient may have its own behind it. */
export function script(messages, hello = 'EHLO client.example') {
  const commands = messages.flatMap(({ from = '<sender@client.example>', to, content }) => [
    `MAIL FROM:${from}`,
    ...to.map((recipient) => `RCPT TO:${recipient}`),
    'DATA',
    `${content.replaceAll(/^\./gm, '..')}.`,
  ]);
  return [hello, ...commands, 'QUIT'];
}

/** Says each line when the one before has its reply; none may be a refusal. */
export async function converse(port, lines) {
  const socket = connect(port, '127.0.0.1');
  const signal = AbortSignal.timeout(PATIENCE);
  let said = '';
  const reply = async (to) => {
    let text = '';
    while (!/^\d{3} .*\r\n$/m.test(text)) text += (await once(socket, 'data', { signal }))[0].toString('latin1');
    said += text;
    assert.match(text, /^[23]/, `${to} was answered ${text}`);
  };
  try {
    await reply('the connection');
    for (const line of lines) {
      socket.write(`${line}\r\n`, 'latin1');
      await reply(line.slice(0, 80));
    }
    return said;
  } finally {
    socket.destroy();
  }
}

/** The octets of a text, a character each. */
export function bytes(text) {
  return Buffer.from(text).toString('latin1');
}

/** One message has been stored, of who has authenticated by this mechanism; a wrong password was tried before. */
export async function judgedAuthenticated(server, { user, mechanism, content }) {
  const [message, ...others] = await storedBy(server);
  assert.deepEqual(others, []);
  assert.deepEqual([message.identity, message.protocol], [user, 'ESMTPSA']);
  assert.equal(message.reversePath, '<sender@client.example>');
  assert(message.content.endsWith(`\r\n${content}`));
  const tried = linesTo(server).filter((line) => line.startsWith('AUTH '));
  assert.deepEqual(
    tried.map((line) => line.split(' ')[1]),
    [mechanism, mechanism],
  );
}
