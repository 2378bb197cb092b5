// More clients than there are descriptors: whatever a runtime does with them, its server outlives them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { RUNTIMES, type Runtime } from './runtimes/subject.ts';

const DESCRIPTORS = 140;
const SCRIPT = fileURLToPath(new URL('./runtimes/shortage.mjs', import.meta.url));

/** The first that a client hears; empty if it is left. */
function greeting(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (bytes) => resolve(bytes.toString('latin1')));
    socket.once('close', () => resolve(''));
  });
}

function dial(port: number): Socket {
  return connect(port, '127.0.0.1').on('error', () => {});
}

test.runIf(process.platform === 'linux').each(Object.keys(RUNTIMES) as Runtime[])('%s', async (runtime) => {
  const limited = ['-c', `ulimit -n ${DESCRIPTORS}; exec "$@"`, 'sh', ...RUNTIMES[runtime], SCRIPT];
  const server = spawn('/bin/sh', limited, { stdio: ['ignore', 'pipe', 'ignore'] });
  const sockets: Socket[] = [];
  try {
    const port = Number(String((await once(server.stdout, 'data'))[0]));
    let waits = 0;
    server.stdout.on('data', () => waits++);
    for (let i = 0; i < 3 * DESCRIPTORS; i++) sockets.push(dial(port));
    // Node closes at once what it has no descriptor for; with the others it waits.
    const isOver = (): boolean => server.exitCode !== null || sockets.some(({ closed }) => closed);
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const used = (): number => readdirSync(`/proc/${server.pid}/fd`).length;
    while (!isOver() && used() < DESCRIPTORS) await turn();
    // It has tried, and failed, to take one more; Deno's has tried it again, more than once.
    while (runtime === 'deno' && !isOver() && waits < 12) await turn();
    while (!isOver() && sockets.some(({ connecting }) => connecting)) await turn();
    for (const socket of sockets) socket.destroy();
    let heard = '';
    while (server.exitCode === null && server.signalCode === null && !heard.startsWith('220')) {
      const socket = dial(port);
      heard = await greeting(socket);
      socket.destroy();
    }
    expect(heard).toMatch(/^220 /);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.kill('SIGKILL');
  }
});
