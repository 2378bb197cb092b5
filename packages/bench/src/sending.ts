import { createRequire } from 'node:module';
import { type Client, connect } from '@ehlo/node';
import { Contender } from './contender.ts';
import type { Effort } from './row.ts';
import { SHAPES, sequential, small } from './workload.ts';

/** What a pool of nodemailer does here. */
interface Mailer {
  sendMail(mail: { readonly envelope: { readonly from: string; readonly to: string }; readonly raw: Buffer }): Promise<unknown>;
  close(): void;
}

const { createTransport } = createRequire(import.meta.url)('nodemailer') as { createTransport(options: object): Mailer };

/** Messages that wait for the one connection, so that it never stands still. */
const WAITING = 20;

export const SENDERS = ['ehlo', 'ehlo, DATA in the group', 'ehlo, next behind the dot', 'nodemailer'] as const;

export type SenderName = (typeof SENDERS)[number];

/** Messages a second, and milliseconds of the client's CPU for 1,000 of them. */
export interface SendingSample {
  readonly rate: number;
  readonly cpu: number;
}

export type SendingSamples = Record<SenderName, SendingSample[]>;

/** Sends one message. */
type Send = () => Promise<void>;

/** A client in this process and one connection, to our server in another. */
export async function measureSending({ rounds, milliseconds }: Effort): Promise<SendingSamples> {
  const server = await Contender.start('ehlo', sequential(small()));
  const samples: SendingSamples = { ehlo: [], 'ehlo, DATA in the group': [], 'ehlo, next behind the dot': [], nodemailer: [] };
  const raw = Buffer.from(`Subject: bench\r\n\r\n${`${SHAPES.lines76}\r\n`.repeat(52)}`);
  try {
    for (let round = -1; round < rounds; round++) {
      for (const name of SENDERS) {
        const { send, close } = await open(name, server.port, raw);
        const sample = await timed(send, milliseconds);
        if (round >= 0) samples[name].push(sample);
        await close();
      }
    }
  } finally {
    await server.stop();
  }
  return samples;
}

const FROM = 'sender@client.example';
const TO = 'recipient@bench.example';

async function open(name: SenderName, port: number, raw: Buffer): Promise<{ readonly send: Send; close(): Promise<void> }> {
  if (name === 'nodemailer') {
    const pool = createTransport({
      pool: true,
      maxConnections: 1,
      maxMessages: Number.POSITIVE_INFINITY,
      host: '127.0.0.1',
      port,
      ignoreTLS: true,
    });
    const send = async (): Promise<void> => void (await pool.sendMail({ envelope: { from: FROM, to: TO }, raw }));
    return { send, close: async () => pool.close() };
  }
  const pipelining = name === 'ehlo' ? 'envelope' : name === 'ehlo, DATA in the group' ? 'data' : 'transactions';
  const client: Client = await connect({ host: '127.0.0.1', port, hostname: 'client.example', starttls: 'off', pipelining });
  const send = async (): Promise<void> => {
    const { outcomes } = await client.send({ reversePath: FROM, recipients: [TO] }, raw);
    if (outcomes[0]!.status !== 'accepted') throw new Error(`a message was ${outcomes[0]!.status}`);
  };
  return { send, close: () => client.close() };
}

async function timed(send: Send, milliseconds: number): Promise<SendingSample> {
  let count = 0;
  const start = performance.now();
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: WAITING }, async () => {
      do {
        await send();
        count++;
      } while (performance.now() - start < milliseconds);
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return { rate: (count * 1000) / (performance.now() - start), cpu: (user + system) / count };
}
