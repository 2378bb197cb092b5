// The process of a server that is soaked: started, asked, killed and started again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { wait } from '../storm/clients.mjs';
import { PROGRAMS } from '../storm/program.mjs';

const PROOF = new URL('../../packages/proof/', import.meta.url);
const at = (path, base) => fileURLToPath(new URL(path, base));

export class Host {
  kills = 0;
  #runtime;
  #path;
  #child;
  #port;
  #answers = [];

  constructor(runtime, path) {
    this.#runtime = runtime;
    this.#path = path;
  }

  async start() {
    const { binary, options } = PROGRAMS[this.#runtime];
    const program = [...options, at('./server.mjs', import.meta.url), this.#path, this.#runtime];
    const child = spawn(binary === null ? process.execPath : at(binary, PROOF), program, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#port = new Promise((resolve, reject) => {
      child.once('close', () => reject(new Error('the server has ended')));
      createInterface(child.stdout).on('line', (line) => {
        const { port, answer } = JSON.parse(line);
        if (port !== undefined) resolve(port);
        else this.#answers.shift()(answer);
      });
    });
    this.#port.catch(() => {});
    await this.#port;
  }

  port() {
    return this.#port;
  }

  /**
   * How many descriptors it has, but those of its standard input, which Deno doubles while it reads: once they are no more than `atMost`, or after ten
   * seconds. A runtime may close a socket somewhat later than it says so.
   */
  async files(atMost = Number.POSITIVE_INFINITY) {
    const count = () => {
      const targets = targetsOf(`/proc/${this.#child.pid}/fd`);
      return Object.values(targets).filter((target) => target !== targets[0]).length;
    };
    for (let i = 0; i < 100 && count() > atMost; i++) await wait(100);
    return count();
  }

  ask(command) {
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.#child.stdin.write(`${command}\n`);
    });
  }

  /** Until nobody is connected. */
  async emptied() {
    while ((await this.ask('held')) > 0) await wait(20);
  }

  /** Kills it when so many more messages are decided, and starts it again. */
  async killBehind({ accepted, unknown, not }, messages) {
    const decided = () => accepted.size + unknown.size + not.size;
    const until = decided() + messages;
    while (decided() < until) await wait(5);
    await this.stop();
    this.kills++;
    await this.start();
  }

  async stop() {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

/** What each descriptor in a folder of `/proc` is open on. One that is closed meanwhile is left out. */
function targetsOf(folder) {
  const targets = {};
  for (const name of readdirSync(folder)) {
    try {
      targets[name] = readlinkSync(`${folder}/${name}`);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  return targets;
}
