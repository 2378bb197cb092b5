// A server in a process of its own, in one of the runtimes: packages/proof/test/runtimes/ends.mjs, asked by lines.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const TESTKIT = new URL('../../packages/proof/', import.meta.url);
const at = (path) => fileURLToPath(new URL(path, TESTKIT));
export const PROGRAMS = JSON.parse(readFileSync(at('test/runtimes/programs.json'), 'utf8'));
const CERTS = fileURLToPath(new URL('../../packages/node/test/certs', import.meta.url));

export class Program {
  #child;
  #waiting = [];
  ports = [];
  errors = '';

  /** `files`: how many descriptors it may have. */
  static async start(runtime, options = {}, files = null) {
    const { binary, options: args } = PROGRAMS[runtime];
    const command = [
      binary === null ? process.execPath : at(binary),
      ...args,
      at('test/runtimes/ends.mjs'),
      JSON.stringify({ certs: CERTS, ...options }),
    ];
    const limited = files === null ? command : ['/bin/sh', '-c', `ulimit -n ${files}; exec "$@"`, 'sh', ...command];
    const program = new Program();
    program.#child = spawn(limited[0], limited.slice(1), { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
    await program.#listen();
    return program;
  }

  async #listen() {
    const child = this.#child;
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.errors += text;
    });
    let ready = () => {};
    const listening = new Promise((resolve, reject) => {
      ready = resolve;
      child.once('close', () => reject(new Error(`it has ended: ${this.errors.slice(0, 1000)}`)));
    });
    createInterface(child.stdout).on('line', (line) => {
      const { ports, to, answer } = JSON.parse(line);
      if (ports !== undefined) ready(ports);
      if (to !== undefined)
        this.#waiting
          .splice(
            this.#waiting.findIndex((one) => one.command === to),
            1,
          )[0]
          ?.resolve(answer);
    });
    child.once('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`it has ended: ${this.errors.slice(0, 1000)}`));
    });
    this.ports = await listening;
  }

  get port() {
    return this.ports[0];
  }

  get tlsPort() {
    return this.ports[1];
  }

  /** How many descriptors it has, and how much memory, in octets. */
  get has() {
    const of = `/proc/${this.#child.pid}`;
    const [, pages] = readFileSync(`${of}/statm`, 'utf8').split(' ');
    return { files: readdirSync(`${of}/fd`).length, memory: Number(pages) * 4096 };
  }

  ask(command) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, resolve, reject });
      this.#child.stdin.write(`${command}\n`);
    });
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }
}
