// A server that says what a test says, and may do wrong: in clear, by STARTTLS, or with TLS from the start.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { Below } from './below.ts';
import { pem, type Security } from './client.ts';

/** What it does in place of the answer to a command; `body` is a part of a message, `.` its end. */
export type Deed = (peer: Peer) => void;

/** A client, as the server has it. */
export interface Peer {
  /** What is spoken through: under TLS when that is active. */
  readonly stream: Duplex;
  readonly socket: Socket;
  /** Under TLS only. */
  readonly below: Below | null;
}

export class Rogue {
  readonly #server: Server;
  readonly #open: Socket[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      this.#open.push(socket);
    });
  }

  /** `at`: the verb (`GREETING` before all; `BODY` at the first octets of a message) whose answer is `deed`; under TLS only the second EHLO counts. */
  static async start(security: Security, at: string, deed: Deed): Promise<Rogue> {
    const server = createServer({ allowHalfOpen: true });
    const rogue = new Rogue(server);
    server.on('connection', (socket) => {
      if (security === 'TLS from the start') secure(socket, (peer) => converse(peer, at, deed, true));
      else converse({ stream: socket, socket, below: null }, at, deed, true, security === 'STARTTLS');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return rogue;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }
}

function secure(socket: Socket, begun: (peer: Peer) => void): void {
  const below = new Below(socket);
  const stream = new TLSSocket(below as Duplex as Socket, { isServer: true, key: pem('server.key'), cert: pem('server.crt') });
  stream.on('error', () => {});
  stream.once('secure', () => begun({ stream, socket, below }));
}

const ANSWERS: Readonly<Record<string, string>> = {
  MAIL: '250 ok',
  RCPT: '250 ok',
  DATA: '354 go',
  RSET: '250 ok',
  '.': '250 ok',
  QUIT: '221 bye',
};

function converse(peer: Peer, at: string, deed: Deed, greets: boolean, upgrades = false): void {
  const { stream, socket } = peer;
  let [seen, inside] = ['', false];
  const answer = (verb: string): void => {
    if (verb === at && (!upgrades || verb === 'STARTTLS' || verb === 'GREETING')) return deed(peer);
    if (verb === 'STARTTLS') {
      stream.removeAllListeners('data');
      stream.write('220 go\r\n', () => secure(socket, (upgraded) => converse(upgraded, at, deed, false)));
    } else if (verb === 'GREETING') stream.write('220 mx.example ESMTP\r\n');
    else if (verb === 'EHLO') stream.write(upgrades ? '250-mx.example\r\n250 STARTTLS\r\n' : '250-mx.example\r\n250 8BITMIME\r\n');
    else if (verb !== 'BODY') stream.write(`${ANSWERS[verb] ?? '500 what?'}\r\n`);
  };
  stream.on('error', () => {});
  stream.on('data', (bytes: Buffer) => {
    seen += bytes.toString('latin1');
    if (inside) {
      answer('BODY');
      if (!seen.endsWith('\r\n.\r\n')) {
        seen = seen.slice(-5);
        return;
      }
      [seen, inside] = ['', false];
      return answer('.');
    }
    for (let end = seen.indexOf('\r\n'); end >= 0 && !inside; end = seen.indexOf('\r\n')) {
      const verb = seen.slice(0, end).split(' ', 1)[0]!.toUpperCase();
      seen = seen.slice(end + 2);
      inside = verb === 'DATA';
      answer(verb);
    }
  });
  if (greets) answer('GREETING');
}
