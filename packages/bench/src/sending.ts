import { createRequire } from 'node:module';
import { connect, Pool } from '@ehlo/node';
import { createMessage } from '@upyo/core';
import { SmtpTransport } from '@upyo/smtp';
import { Client } from './client.ts';
import { Contender } from './contender.ts';
import type { Effort } from './row.ts';
import { lines, type Message, pipelined, SHAPES, sequential, small, type Workload } from './workload.ts';

/** What a pool of nodemailer does here. */
interface Mailer {
  sendMail(mail: { readonly envelope: { readonly from: string; readonly to: string }; readonly raw: Buffer }): Promise<unknown>;
  close(): void;
}

const { createTransport } = createRequire(import.meta.url)('nodemailer') as { createTransport(options: object): Mailer };

/** Connections that a sender has. */
export const CONNECTIONS = 5;

/** Messages that each sender has sent before it is measured: until then a part of its time is the compiler's. */
const WARM_UP = 6000;

/** Messages that wait for them, so that none ever stands still. */
const WAITING = 40;

/**
 * Who sends, by five connections. The floor writes octets that were made before, and checks the code of each reply: a command at a time, and with
 * the commands of the next message behind the dot of the last.
 */
export const SENDERS = [
  'ehlo',
  'ehlo, DATA in the group',
  'ehlo, next behind the dot',
  'nodemailer',
  'upyo',
  'floor, a command at a time',
  'floor, next behind the dot',
] as const;

export type SenderName = (typeof SENDERS)[number];

/** The floor that says as much at a time. */
export const FLOORS: { readonly [name in SenderName]: SenderName } = {
  ehlo: 'floor, a command at a time',
  'ehlo, DATA in the group': 'floor, a command at a time',
  'ehlo, next behind the dot': 'floor, next behind the dot',
  nodemailer: 'floor, a command at a time',
  upyo: 'floor, a command at a time',
  'floor, a command at a time': 'floor, a command at a time',
  'floor, next behind the dot': 'floor, next behind the dot',
};

/** Messages a second, and milliseconds of the client's CPU for 1,000 of them. */
export interface SendingSample {
  readonly rate: number;
  readonly cpu: number;
}

export type SendingSamples = Record<SenderName, SendingSample[]>;

/** Sends one message; `lane` is one of those that wait. */
type Send = (lane: number) => Promise<void>;

interface Sender {
  /** Messages that are waited for at a time. */
  readonly lanes: number;
  readonly send: Send;
  close(): Promise<void>;
}

/** A client in this process, and our server in another. */
export async function measureSending({ rounds, milliseconds }: Effort): Promise<SendingSamples> {
  const server = await Contender.start('ehlo', sequential(small()));
  const samples = Object.fromEntries(SENDERS.map((name) => [name, [] as SendingSample[]])) as SendingSamples;
  const message = lines(SHAPES.lines76, 4096);
  const senders: { readonly name: SenderName; readonly sender: Sender }[] = [];
  try {
    for (const name of SENDERS) senders.push({ name, sender: await open(name, server.port, message) });
    for (let round = -1; round < rounds; round++) {
      for (const { name, sender } of senders) {
        const sample = await timed(sender, milliseconds, round < 0 && milliseconds > 0 ? WARM_UP : 0);
        if (round >= 0) samples[name].push(sample);
      }
    }
    for (const { sender } of senders) await sender.close();
  } finally {
    await server.stop();
  }
  return samples;
}

const FROM = 'sender@client.example';
const TO = 'recipient@bench.example';

async function open(name: SenderName, port: number, message: Message): Promise<Sender> {
  if (name === 'floor, a command at a time') return await floor(port, sequential(message));
  if (name === 'floor, next behind the dot') return await floor(port, pipelined(message));
  const raw = Buffer.from(message.content);
  if (name === 'nodemailer') {
    const pool = createTransport({
      pool: true,
      maxConnections: CONNECTIONS,
      maxMessages: Number.POSITIVE_INFINITY,
      host: '127.0.0.1',
      port,
      ignoreTLS: true,
    });
    const send = async (): Promise<void> => void (await pool.sendMail({ envelope: { from: FROM, to: TO }, raw }));
    return { lanes: WAITING, send, close: async () => pool.close() };
  }
  if (name === 'upyo') return upyo(port, raw.length);
  const pipelining = name === 'ehlo' ? 'envelope' : name === 'ehlo, DATA in the group' ? 'data' : 'transactions';
  const pool = new Pool(() => connect({ host: '127.0.0.1', port, hostname: 'client.example', starttls: 'off', pipelining }), {
    size: CONNECTIONS,
  });
  const send = async (): Promise<void> => {
    const { outcomes } = await pool.send({ reversePath: FROM, recipients: [TO] }, raw);
    if (outcomes[0]!.status !== 'accepted') throw new Error(`a message was ${outcomes[0]!.status}`);
  };
  return { lanes: WAITING, send, close: () => pool.close() };
}

/**
 * It takes no message that is made already: it is given a text in one line, and composes, and folds that to lines of 76. Its pool opens a
 * connection for each message that finds none free.
 */
function upyo(port: number, octets: number): Sender {
  const text = 'x'.repeat(octets);
  const transport = new SmtpTransport({ host: '127.0.0.1', port, secure: false, pool: true, poolSize: CONNECTIONS });
  const send = async (): Promise<void> => {
    const receipt = await transport.send(createMessage({ from: FROM, to: TO, subject: 'bench', content: { text } }));
    if (!receipt.successful) throw new Error(receipt.errorMessages.join());
  };
  return { lanes: CONNECTIONS, send, close: () => transport.closeAllConnections() };
}

async function floor(port: number, { opening, cycle, closing }: Workload): Promise<Sender> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => Client.open(port)));
  for (const client of clients) for (const write of opening) await client.write(write);
  const send: Send = async (lane) => {
    for (const write of cycle) await clients[lane]!.write(write);
  };
  const close = async (): Promise<void> => {
    for (const client of clients) {
      for (const write of closing) await client.write(write);
      await client.close();
    }
  };
  return { lanes: CONNECTIONS, send, close };
}

/** Sends for so long, and so many messages at least. */
async function timed({ lanes, send }: Sender, milliseconds: number, least: number): Promise<SendingSample> {
  let count = 0;
  const start = performance.now();
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      do {
        await send(lane);
        count++;
      } while (performance.now() - start < milliseconds || count < least);
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return { rate: (count * 1000) / (performance.now() - start), cpu: (user + system) / count };
}
