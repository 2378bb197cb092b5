// What a storm does to a server. Each scene ends when its clients have done what they do; who greets the next client is asked behind it.
import { connect as secure } from 'node:tls';
import { dial, many, reach, say, wait } from './clients.mjs';

/** The first octets of a ClientHello: its record is never whole. */
const HELLO = Buffer.from('16030100c8010000c40303', 'hex');

const reset = (socket) => socket?.resetAndDestroy();

export const SCENES = [
  {
    name: '1000 resets before anybody has accepted',
    async run({ port }) {
      await many(1000, 100, async () => reset(await dial(port)));
    },
  },
  {
    name: '1000 resets, at each stage of a session',
    async run({ port }) {
      await many(1000, 50, async (i) => {
        const socket = await dial(port);
        if (socket === null) return;
        await reach(socket, i % 5);
        reset(socket);
      });
    },
  },
  {
    name: '300 resets around a handshake',
    async run({ port, tlsPort }) {
      await many(300, 30, async (i) => {
        const socket = await dial(i % 2 === 0 ? port : tlsPort);
        if (socket === null) return;
        if (i % 2 === 0) {
          await reach(socket, 1);
          await say(socket, 'STARTTLS');
        }
        if (i % 3 > 0) await new Promise((resolve) => socket.write(HELLO, resolve));
        if (i % 3 < 2) return reset(socket);
        // This one makes its handshake first.
        const over = secure({ port: tlsPort, host: '127.0.0.1', rejectUnauthorized: false }, () => over.destroy());
        over.on('error', () => {});
        await new Promise((resolve) => over.once('close', resolve));
        reset(socket);
      });
    },
  },
  {
    name: '400 handshakes that stall',
    async run({ tlsPort }, held) {
      await many(400, 50, async (i) => {
        const socket = await dial(tlsPort);
        if (socket !== null && i % 2 === 0) socket.write(HELLO);
        held.push(socket);
      });
    },
  },
  {
    name: '100 clients that flood and do not read',
    async run({ port }, held) {
      await many(100, 100, async () => {
        const socket = await dial(port);
        if (socket === null) return;
        socket.pause();
        const flood = 'EHLO storm.example\r\nMAIL FROM:<>\r\nRSET\r\n'.repeat(2000);
        for (let i = 0; i < 20; i++) socket.write(flood);
        held.push(socket);
      });
    },
  },
  {
    name: '600 connections where 500 may be, and no manners',
    async run({ port }, held) {
      await many(600, 100, async () => held.push(await dial(port)));
      await wait(200);
    },
    // The next one is greeted when these have left.
    leavesFirst: true,
  },
  {
    name: '300 clients that quit and stay',
    async run({ port }, held) {
      await many(300, 50, async () => {
        const socket = await dial(port);
        held.push(socket);
        if (socket !== null) await reach(socket, 1).then(() => say(socket, 'QUIT'));
      });
    },
  },
];

/** Descriptors are used up: what comes when there are some again is greeted. */
export async function exhaust({ port }, held) {
  await many(400, 100, async () => {
    const socket = await Promise.race([dial(port), wait(1000).then(() => null)]);
    held.push(socket);
  });
  await wait(300);
}

/** Sessions of every kind, which do not end by themselves. */
export async function load({ port, tlsPort }, held) {
  await many(300, 50, async (i) => {
    const socket = await dial(i % 3 === 2 ? tlsPort : port);
    held.push(socket);
    if (socket === null) return;
    if (i % 3 === 2) return void socket.write(HELLO);
    await reach(socket, i % 3 === 0 ? 4 : 1);
    if (i % 3 === 0) for (let part = 0; part < 50; part++) socket.write('x'.repeat(70).concat('\r\n').repeat(100));
  });
}

export const leave = (held) => {
  for (const socket of held.splice(0)) socket?.destroy();
};
