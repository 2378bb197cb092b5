// Law 3: memory is bounded and work is linear, whatever the server does; and the time that each stage is given.
import { CLIENT_LIMITS, type ClientLimitName, type ClientSession } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';
import type { ClientClass } from '../../src/index.ts';
import { elementsTouched, octetsKept, octetsTouched } from '../laws/count.ts';
import { holds, type Law, same } from '../laws/law.ts';
import { output } from './law-order.ts';
import { open } from './law-wire.ts';

const MiB = 1_048_576;
const ENVELOPE = { reversePath: '', recipients: [{ forwardPath: 'a@b.example' }] };

/** A session in the middle of a message. */
function sending(Client: ClientClass, options: Parameters<typeof open>[2] = {}): ClientSession {
  const session = open(Client, ['8BITMIME'], options);
  session.send(ENVELOPE);
  for (const reply of ['250 ok', '250 ok', '354 go']) {
    output(session);
    session.receive(octets(`${reply}\r\n`));
  }
  while (session.nextEvent() !== null);
  return session;
}

/** What a server may say without end, and where. */
const FLOODS: readonly { readonly name: string; readonly session: (Client: ClientClass) => ClientSession; readonly unit: string }[] = [
  { name: 'a greeting without its end', session: (Client) => new Client({ hostname: 'c.example' }), unit: 'x' },
  { name: 'a reply without its end', session: asked, unit: 'x' },
  { name: 'lines of a reply', session: asked, unit: '250-x\r\n' },
  { name: 'a line of CR', session: asked, unit: '\r' },
  { name: 'replies to nothing', session: (Client) => open(Client, []), unit: '250 ok\r\n' },
  { name: 'a line in the middle of a message', session: sending, unit: '2' },
  { name: 'a line where nothing was asked', session: (Client) => open(Client, []), unit: '2' },
];

function asked(Client: ClientClass): ClientSession {
  const session = open(Client, []);
  session.send(ENVELOPE);
  output(session);
  return session;
}

const floods: Law<ClientClass> = {
  name: 'client 3: what a server sends without end is not kept',
  check(Client, cases) {
    for (const { name, session: begin, unit } of FLOODS) {
      for (const size of [65_536, 1]) {
        const session = begin(Client);
        const chunk = unit.repeat(Math.floor(65_536 / unit.length));
        const kept = octetsKept(() => {
          for (let i = 0; i < (size === 1 ? 50_000 : cases / 10); i++) {
            session.receive(octets(size === 1 ? unit[i % unit.length]! : chunk));
            while (session.nextEvent() !== null);
          }
          return session;
        });
        holds(kept < MiB / 2, `${name}, ${size} at a time: ${kept} octets are kept`);
        holds(session.phase === 'closed', `${name}, ${size} at a time: it is listened to for ever`);
      }
    }
  },
};

const SHAPES = ['text of ordinary lines\r\n', '\n', '\r', '.\r\n', '\r\n.', 'x'];

const linear: Law<ClientClass> = {
  name: 'client 3: work is linear in the octets of a message, those that are written one by one included',
  check(Client) {
    for (const shape of SHAPES) {
      for (const piece of [Number.POSITIVE_INFINITY, 1]) {
        const size = piece === 1 ? 20_000 : 100_000;
        const text = shape.repeat(Math.ceil(size / shape.length));
        const session = sending(Client);
        const touched = octetsTouched((counted) => {
          for (let from = 0; from < text.length; from += piece) {
            session.write(counted(octets(text.slice(from, from + piece))));
            while (session.nextOutput() !== null);
          }
          session.end();
          while (session.nextOutput() !== null);
        });
        holds(touched < 14 * text.length + 5000, `${JSON.stringify(shape)}: ${touched} octets are touched of ${text.length}`);
      }
    }
  },
};

const replies: Law<ClientClass> = {
  name: 'client 3: work is linear in the octets of a reply, those that come one by one included',
  check(Client) {
    const cost = (lines: number): number => {
      const session = asked(Client);
      return octetsTouched((counted) => {
        for (const octet of '250-some text of a reply\r\n'.repeat(lines)) session.receive(counted(octets(octet)));
      });
    };
    const [one, four] = [cost(200), cost(800)];
    holds(four < 5 * one, `${one} octets are touched for one, ${four} for four times as much`);
  },
};

const recipients: Law<ClientClass> = {
  name: 'client 3: a recipient costs the same whether it is the first or the last of many',
  check(Client) {
    const cost = (count: number): number => {
      const forwardPaths = Array.from({ length: count }, (_, i) => ({ forwardPath: `r${i}@b.example` }));
      const session = open(Client, ['PIPELINING'], { protocol: 'lmtp' });
      return elementsTouched(() => {
        session.send({ reversePath: '', recipients: forwardPaths });
        for (let lines = output(session); lines !== ''; lines = output(session)) {
          const count = lines.split('\r\n').length - 1;
          session.receive(octets(lines.endsWith('DATA\r\n') ? '354 go\r\n' : '250 ok\r\n'.repeat(count)));
        }
        session.end();
        output(session);
        for (let i = 0; i < count; i++) session.receive(octets('250 ok\r\n'));
        while (session.nextEvent() !== null);
      });
    };
    const [one, four] = [cost(500), cost(2000)];
    holds(four < 6 * one, `${one} elements are gone over for 500 recipients, ${four} for 2000`);
  },
};

const blocks: Law<ClientClass> = {
  name: 'client 3: no more than a block of a message is made ahead, and long runs are not copied',
  check(Client) {
    for (const unit of ['x'.repeat(998), '\n']) {
      const session = sending(Client);
      const message = octets(unit === '\n' ? unit.repeat(2 * MiB) : `${unit}\r\n`.repeat(2000));
      session.write(message);
      for (let bytes = session.nextOutput(); bytes !== null; bytes = session.nextOutput()) {
        holds(bytes.length <= 80_000, `${bytes.length} octets at once`);
        if (unit !== '\n') holds(bytes.buffer === message.buffer, 'a clean run is copied');
      }
    }
  },
};

/** What is awaited, after which replies, and for how long. */
const STAGES: readonly (readonly [ClientLimitName, readonly string[]])[] = [
  ['greetingTimeout', []],
  ['helloTimeout', ['220 hi']],
  ['mailTimeout', ['220 hi', '250 hi']],
  ['rcptTimeout', ['220 hi', '250 hi', '250 ok']],
  ['dataTimeout', ['220 hi', '250 hi', '250 ok', '250 ok']],
  ['messageTimeout', ['220 hi', '250 hi', '250 ok', '250 ok', '354 go']],
];

const stages: Law<ClientClass> = {
  name: 'client: each stage is given the time that RFC 5321 4.5.3.2 names, and no more for a reply that trickles',
  check(Client) {
    for (const [limit, said] of STAGES) {
      const session = new Client({ hostname: 'c.example' });
      let now = 1e9;
      session.tick(now);
      for (const reply of said) {
        session.receive(octets(`${reply}\r\n`));
        while (session.nextEvent() !== null);
        if (session.canSend) session.send(ENVELOPE);
        session.end();
        output(session);
        now += 1000;
        session.tick(now);
      }
      same(session.deadline, now - (said.length === 0 ? 0 : 1000) + CLIENT_LIMITS[limit].value, limit);
      const { deadline } = session;
      for (; now < deadline; now += 30_000) {
        session.tick(now);
        session.receive(octets('2'));
      }
      same(session.deadline, deadline, 'the deadline of a reply that trickles');
      session.tick(deadline);
      const events = [];
      for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) events.push(event);
      const closed = events.at(-1)!;
      same(closed.type === 'closed' && [closed.cause, closed.limit], ['timeout', limit], 'the end');
    }
  },
};

const speed: Law<ClientClass> = {
  name: 'client: a server that takes a message too slowly is left, and time that the program takes is not counted',
  check(Client, cases) {
    const { value: block } = CLIENT_LIMITS.block;
    // One octet a second: the block does not leave in time.
    const trickling = sending(Client);
    trickling.tick(0);
    trickling.write(octets('x'.repeat(400_000)));
    while (trickling.nextOutput() !== null);
    let now = 0;
    for (; trickling.phase !== 'closed' && now < 1e7; now += 1000) {
      trickling.tick(now);
      trickling.written(1);
    }
    same(now - 1000, CLIENT_LIMITS.blockTimeout.value, 'when it ends');
    // A block every two minutes and a half: each leaves in time, and all of them too slowly.
    const slow = sending(Client);
    slow.tick(0);
    slow.write(octets('x'.repeat(100 * block)));
    while (slow.nextOutput() !== null);
    for (now = 150_000; slow.phase !== 'closed' && now < 1e8; now += 150_000) {
      slow.tick(now);
      slow.written(block);
    }
    const limit = 180_000 + (1000 * Math.floor(now / 150_000) * block) / CLIENT_LIMITS.rate.value;
    holds(slow.phase === 'closed' && now - 150_000 <= limit, `it ends after ${now} ms`);
    // A program that needs an hour for each piece.
    const patient = sending(Client);
    now = 0;
    for (let piece = 0; piece < Math.min(20, cases); piece++) {
      patient.tick(now);
      holds(patient.write(octets('x'.repeat(100))), 'it has given up');
      output(patient);
      same(patient.deadline, Number.POSITIVE_INFINITY, 'the deadline');
      now += 3_600_000;
    }
  },
};

const deadlines: Law<ClientClass> = {
  name: 'client: while the server is awaited there is a deadline',
  check(Client) {
    const waits = (session: ClientSession, what: string): void => {
      session.tick(0);
      output(session);
      holds(session.deadline < Number.POSITIVE_INFINITY, `no deadline ${what}`);
    };
    const first = new Client({ hostname: 'c.example' });
    waits(first, 'before the greeting');
    const session = open(Client, ['STARTTLS', 'AUTH LOGIN'], { credentials: 'cleartext' });
    session.command('NOOP');
    waits(session, 'behind NOOP');
    session.receive(octets('250 ok\r\n'));
    session.authenticate('LOGIN');
    waits(session, 'behind AUTH');
    session.receive(octets('535 no\r\n'));
    session.starttls();
    waits(session, 'behind STARTTLS');
    session.receive(octets('220 go\r\n'));
    waits(session, 'in the TLS handshake');
    const leaving = open(Client, []);
    leaving.quit();
    waits(leaving, 'behind QUIT');
  },
};

export const CLIENT_WORK_LAWS: readonly Law<ClientClass>[] = [floods, linear, replies, recipients, blocks, stages, speed, deadlines];
