// For the tests of `ehlo send`: a server that says what the test wants, and the command.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test as base, type Cli } from './cli.ts';

export const MESSAGE = 'Subject: hello\r\n\r\n.dot\r\nlast';
export const FROM_TO: readonly string[] = ['--from', 'joe@a.example', '--to', 'ann@b.example'];

/** What a scripted server says to each line, by how it begins; `.` to the message; `''` as its greeting; null: it leaves. */
export type Answers = { readonly [start: string]: string | null };

interface Fixtures {
  /** The port of a server that says what the test wants. */
  scripted: (answers?: Answers) => Promise<number>;
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads a fixture's needs from this pattern, and it has none.
  scripted: async ({}, use) => {
    const sockets = new Set<Socket>();
    const servers: ReturnType<typeof createServer>[] = [];
    await use(async (answers = {}) => {
      const server = createServer((socket) => {
        sockets.add(socket);
        converse(socket, answers);
      }).listen(0, '127.0.0.1');
      servers.push(server);
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    });
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
  },
});

/** Says what the test wants to one client. */
export function converse(socket: Socket, answers: Answers): void {
  const all: Answers = { '': '220 mx.example', EHLO: '250-mx.example\r\n250 SIZE 100000', DATA: '354 go on', QUIT: '221 bye', ...answers };
  const say = (answer: string | null | undefined): void =>
    void (answer === null ? socket.destroy() : socket.write(`${answer ?? '250 OK'}\r\n`));
  let text = '';
  let body = false;
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    for (let at = text.indexOf('\r\n'); at >= 0; at = text.indexOf('\r\n')) {
      const line = text.slice(0, at);
      text = text.slice(at + 2);
      if (body && line !== '.') continue;
      const start = Object.keys(all).find((key) => key !== '' && line.startsWith(key));
      const answer = start === undefined ? undefined : all[start];
      body = !body && line === 'DATA' && answer?.startsWith('354') === true;
      say(answer);
    }
  });
  say(all['']);
}

/** `ehlo send` to a port of this machine. */
export const to = (port: number | string, ...more: string[]): string[] => ['send', '--server', `127.0.0.1:${port}`, ...FROM_TO, ...more];
/** What it has printed with `--json`. */
export const json = (cli: Cli): unknown[] => cli.lines.map((line) => JSON.parse(line) as unknown);
