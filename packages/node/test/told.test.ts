// RFC 1047: an acceptance is told to the client, or its handler hears that it was not; in clear and under TLS.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { accept, type Handler, type IncomingMessage, type ServeOptions, type Server } from '@ehlo/node';
import { describe, expect } from 'vitest';
import { RUNTIME } from './adapter.ts';
import { handshake, SERVER, test, upgrade } from './tls-wire.ts';
import { until, type Wire } from './wire.ts';

/** What a handler has accepted, and what it hears of that. */
class Ledger {
  readonly accepted: string[] = [];
  /** Each message that is not acknowledged, with the number of recipients that come before. */
  readonly lost: [string, number][] = [];
  readonly notices: string[] = [];
  readonly handler: Handler;

  constructor(decide: (who: string, count: number) => ReturnType<typeof accept> | true | (ReturnType<typeof accept> | true)[]) {
    this.handler = {
      message: async ({ body, envelope }) => {
        await body.bytes();
        this.accepted.push(envelope.reversePath.address);
        return decide(envelope.reversePath.address, envelope.recipients.length);
      },
      unacknowledged: (message: IncomingMessage) => void this.lost.push([message.envelope.reversePath.address, message.told]),
      notice: ({ type }) => void this.notices.push(type),
    };
  }
}

const WAYS = ['in clear', 'STARTTLS', 'implicit TLS'] as const;

const OPTIONS: { readonly [way in (typeof WAYS)[number]]: Partial<ServeOptions> } = {
  'in clear': {},
  STARTTLS: { tls: SERVER },
  'implicit TLS': { tls: SERVER, implicitTls: true },
};

type Dial = (server: Server) => Promise<Wire>;

/** A client that has been greeted, and the connection below. */
async function greeted(way: (typeof WAYS)[number], server: Server, dial: Dial, hello = 'EHLO'): Promise<{ wire: Wire; below: Wire }> {
  const below = await dial(server);
  const wire = way === 'in clear' ? below : way === 'STARTTLS' ? await upgrade(below, {}, '', hello) : await handshake(below);
  if (way !== 'STARTTLS') await wire.reply();
  await wire.say(`${hello} client.example`);
  return { wire, below };
}

/** Between a client and a server: a pause of its socket stops the reading of any client, as not every runtime's TLS can. */
class Relay implements AsyncDisposable {
  /** The connection to the server. */
  upward: Socket | null = null;
  readonly #listener = createServer({ allowHalfOpen: true });

  static async open({ address }: Server): Promise<Relay> {
    const relay = new Relay();
    relay.#listener.on('connection', (client) => {
      const upward = connect({ host: address.address, port: address.port, allowHalfOpen: true });
      relay.upward = upward;
      client.pipe(upward);
      upward.on('data', (bytes) => void client.write(bytes));
      const over = (): void => void client.destroySoon();
      upward.on('end', over).on('error', over).on('close', over);
      client.on('error', () => upward.destroy());
    });
    relay.#listener.listen(0, '127.0.0.1');
    await once(relay.#listener, 'listening');
    return relay;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: (this.#listener.address() as AddressInfo).port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.upward?.destroy();
    await new Promise((resolve) => this.#listener.close(resolve));
  }
}

function envelope(who: string, recipients = 1): string {
  return `MAIL FROM:<${who}>\r\n${'RCPT TO:<one@mx.example>\r\n'.repeat(recipients)}`;
}

describe.each(WAYS)('%s', (way) => {
  test('what the client has read was told: nothing is said of it', async ({ start, dial }) => {
    const ledger = new Ledger(() => true);
    const server = await start(ledger.handler, OPTIONS[way]);
    const { wire } = await greeted(way, server, dial);
    wire.send(`${envelope('a@client.example')}BDAT 4 LAST\r\nText${envelope('b@client.example')}DATA\r\n`);
    await wire.replies(6);
    wire.send('Text\r\n.\r\nQUIT\r\n');
    expect(await wire.replies(2)).toEqual([expect.stringMatching(/^250 /), expect.stringMatching(/^221 /)]);
    wire.socket.end();
    await until('the session is over', () => server.connections === 0 && ledger.notices.includes('closed'));
    expect([ledger.accepted.length, ledger.lost]).toEqual([2, []]);
  });

  test.for(['DATA', 'BDAT'])('%s: a client that resets while the reply is held back', async (verb, { start, dial }) => {
    const ledger = new Ledger(() => accept({ delay: 240_000 }));
    const server = await start(ledger.handler, OPTIONS[way]);
    const { wire, below } = await greeted(way, server, dial);
    wire.send(`${envelope('a@client.example')}${verb === 'DATA' ? 'DATA\r\n' : 'BDAT 4 LAST\r\nText'}`);
    await wire.replies(2);
    if (verb === 'DATA') {
      await wire.reply();
      wire.send('Text\r\n.\r\n');
    }
    await until('it is accepted', () => ledger.accepted.length === 1);
    below.reset();
    await until('the session is over', () => server.connections === 0);
    expect(ledger.lost).toEqual([['a@client.example', 0]]);
    expect(ledger.notices.slice(-2)).toEqual(['unacknowledged', 'closed']);
  });

  test('a server whose grace is over while the reply is held back', async ({ start, dial }) => {
    const ledger = new Ledger(() => accept({ delay: 240_000 }));
    const server = await start(ledger.handler, { ...OPTIONS[way], grace: 10 });
    const { wire } = await greeted(way, server, dial);
    wire.send(`${envelope('a@client.example')}BDAT 4 LAST\r\nText`);
    await wire.replies(2);
    await until('it is accepted', () => ledger.accepted.length === 1);
    await server.close();
    expect(ledger.lost).toEqual([['a@client.example', 0]]);
    expect(await wire.rest()).toBe('');
  });

  test('a client that does not read: what it has of the replies, and what it is said not to have, are apart', async ({ start, dial }) => {
    const ledger = new Ledger((who) => accept({ text: `${who} ${'is taken '.repeat(30)}` }));
    const server = await start(ledger.handler, { ...OPTIONS[way], limits: { flushTimeout: 1000, transactions: 1e6 } });
    await using relay = await Relay.open(server);
    const { wire } = await greeted(way, server, () => dial(relay.address));
    relay.upward!.pause();
    const messages = Array.from({ length: 40_000 }, (_, i) => `${envelope(`${i}@client.example`)}BDAT 4 LAST\r\nText`);
    for (let i = 0; i < messages.length; i += 100) wire.send(messages.slice(i, i + 100).join(''));
    await until('the session is over', () => server.connections === 0);
    const lost = ledger.lost.map(([who]) => who);
    expect(lost.length).toBeGreaterThan(0);
    // Replies are in order: from the first that was lost on, all were.
    expect(lost).toEqual(ledger.accepted.slice(-lost.length));
    relay.upward!.resume();
    const read = [...(await wire.rest()).matchAll(/^250 2\.6\.0 (\S+) .*\r\n/gm)].map(([, who]) => who!);
    // Deno can't reset: what its kernel has of a write that it has taken in part still goes out, and the whole write was told as lost.
    if (RUNTIME !== 'deno') expect(lost).not.toContain(read.at(-1));
    expect(read).toEqual(ledger.accepted.slice(0, read.length));
    expect(ledger.notices.filter((type) => type === 'unacknowledged').length).toBe(lost.length);
  });

  test('LMTP: the client is told a part, and leaves', async ({ start, dial }) => {
    const ledger = new Ledger((_, count) => Array.from({ length: count }, (_, i) => (i < 2 ? true : accept({ delay: 240_000 }))));
    const server = await start({ rcpt: () => true, ...ledger.handler }, { ...OPTIONS[way], preset: 'lmtp' });
    const { wire, below } = await greeted(way, server, dial, 'LHLO');
    wire.send(`${envelope('a@client.example', 4)}BDAT 4 LAST\r\nText`);
    await wire.replies(1 + 4 + 2);
    below.reset();
    await until('the session is over', () => server.connections === 0);
    expect(ledger.lost).toEqual([['a@client.example', 2]]);
  });
});
