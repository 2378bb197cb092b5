// docs/runtimes.md: every cell of its table is measured, over sockets.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { text } from './house.ts';
import { Clients, envelope, pem, SECURITY, type Security } from './runtimes/client.ts';
import { type Event, RUNTIMES, type Runtime, Subject } from './runtimes/subject.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const TABLE = rows(text('docs/runtimes.md').split('<!-- begin:runtimes -->')[1]?.split('<!-- end:runtimes -->')[0] ?? '');
const CLIENT = { key: pem('client.key'), cert: pem('client.crt') };
const folder = mkdtempSync(join(tmpdir(), 'ehlo-abilities-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Probes {
  /** One certificate; asks for that of its clients. */
  readonly plain: Subject;
  /** Certificates by names, and new ones when it is told. */
  readonly reloadable: Subject;
  readonly clients: Clients;
  readonly runtime: Runtime;
}

/** What stands in a cell, by the row's first. */
const MEASURE: Record<string, (probes: Probes) => Promise<string>> = {
  STARTTLS: async ({ plain, clients }) => yes((await clients.greeted(plain, 'STARTTLS')) !== null),
  'TLS from the start': async ({ plain, clients }) => yes((await clients.greeted(plain, 'TLS from the start')) !== null),
  async 'a client that knows only TLS 1.1'({ plain, clients }) {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    for (const security of ['STARTTLS', 'TLS from the start'] as const) {
      const taken = await clients.greeted(plain, security, old).then(
        () => true,
        () => false,
      );
      if (taken) return 'taken';
    }
    return 'refused';
  },
  async 'certificates by the name that is asked for (SNI)'({ reloadable, clients }) {
    const shown: string[] = [];
    for (const security of ['STARTTLS', 'TLS from the start'] as const)
      for (const servername of ['localhost', 'other.example']) {
        const { socket } = await clients.greeted(reloadable, security, { servername });
        shown.push(String((socket as TLSSocket).getPeerCertificate().subject.CN));
      }
    return yes(shown.join() === 'localhost,other.example,localhost,other.example');
  },
  async 'new certificates without a restart'({ reloadable, clients }) {
    await reloadable.ask('reload');
    const { socket } = await clients.greeted(reloadable, 'STARTTLS');
    return yes((socket as TLSSocket).getPeerCertificate().subject.CN === 'other.example');
  },
  async 'ciphers of your own choice'({ plain }) {
    const taken = async (ciphers: string): Promise<boolean> =>
      (await plain.ask('fail', { port: plain.port, starttls: 'off', tls: { ciphers } })) === null;
    const [of12, of13] = [await taken('ECDHE-ECDSA-AES256-GCM-SHA384'), await taken('TLS_AES_256_GCM_SHA384')];
    return of12 && of13 ? 'yes' : of12 ? 'of TLS 1.2' : 'no';
  },
  async "the client's certificate is told, with its verdict"({ plain, clients }) {
    const { peerCertificate } = (await hello(plain, clients, CLIENT)).tls;
    const missing = (await hello(plain, clients)).tls.peerCertificate;
    return yes(peerCertificate?.subject === 'client.example' && peerCertificate.authorized && missing === undefined);
  },
  async '`tls-server-end-point`'({ plain, clients }) {
    const { socket, tls } = await hello(plain, clients);
    const expected = createHash('sha256').update(socket.getPeerCertificate().raw).digest('hex');
    return yes(tls.bindings['tls-server-end-point'] === expected);
  },
  async '`tls-exporter`'({ plain, clients }) {
    const { socket, tls } = await hello(plain, clients);
    const expected = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)).toString('hex');
    const told = tls.bindings['tls-exporter'];
    if (told !== undefined) expect(told).toBe(expected);
    return yes(told !== undefined);
  },
  async 'TLS sessions are resumed'({ plain, clients }) {
    const first = await hello(plain, clients, { maxVersion: 'TLSv1.2' });
    const session = first.socket.getSession();
    const second = await hello(plain, clients, { maxVersion: 'TLSv1.2', ...(session === undefined ? {} : { session }) });
    return yes(second.socket.isSessionReused());
  },
  async 'half-close, in clear and under TLS'({ plain, clients }) {
    for (const security of SECURITY) {
      const wire = await clients.greeted(plain, security);
      wire.socket.end('NOOP\r\n');
      if ((await wire.rest()) !== '250 2.0.0 NOOP OK\r\n') return 'no';
    }
    return 'yes';
  },
  async 'Unix sockets'({ runtime }) {
    const socket = connect(join(folder, runtime));
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return yes(greeting.toString().startsWith('220 '));
  },
  'a connection in clear that is aborted': ({ runtime, clients }) => aborted(runtime, clients, ['in clear']),
  'one under TLS': ({ runtime, clients }) => aborted(runtime, clients, ['STARTTLS', 'TLS from the start']),
  async 'a client chooses its local address'({ plain }) {
    const outcome = await plain.ask('fail', { port: plain.port, starttls: 'off', localAddress: '127.0.0.2' });
    if (outcome !== null) return (outcome as { name: string }).name === 'SmtpUsageError' ? 'no' : 'it fails';
    await plain.until('the connection', () =>
      plain.events.find(({ peer }) => (peer as { address?: string } | undefined)?.address === '127.0.0.2'),
    );
    return 'yes';
  },
};

test('every row is measured, and every measure has its row', () => {
  expect(Object.keys(TABLE)).toEqual(Object.keys(MEASURE));
});

describe.each(Object.keys(RUNTIMES) as Runtime[])('%s', (runtime) => {
  const clients = new Clients();
  let probes: Probes;

  beforeAll(async () => {
    const plain = await Subject.start(runtime, { requestCert: true, unix: join(folder, runtime) });
    probes = { plain, reloadable: await Subject.start(runtime, { reloadable: true }), clients, runtime };
  });
  afterEach(() => clients.destroy());
  afterAll(() => Promise.all([probes.plain.stop(), probes.reloadable.stop()]));

  test.each(Object.entries(MEASURE))('%s', async (row, measure) => {
    expect(await measure(probes)).toBe(TABLE[row]?.[runtime]);
  });
});

interface Told {
  readonly bindings: Readonly<Record<string, string>>;
  readonly peerCertificate?: { readonly subject: string; readonly authorized: boolean };
}

/** What the server is told of a connection from the start under TLS, and the client's socket. */
async function hello(
  subject: Subject,
  clients: Clients,
  options: Parameters<Clients['greeted']>[2] = {},
): Promise<{ readonly socket: TLSSocket; readonly tls: Told }> {
  subject.events.length = 0;
  const { socket } = await clients.greeted(subject, 'TLS from the start', options);
  const { tls } = (await subject.event('hello')) as Event & { readonly tls: Told };
  return { socket: socket as TLSSocket, tls };
}

/** How clients see the end of connections within a message, when the server's grace is over. */
async function aborted(runtime: Runtime, clients: Clients, securities: readonly Security[]): Promise<string> {
  const impatient = await Subject.start(runtime, { grace: 1 });
  try {
    const wires = await Promise.all(securities.map((security) => clients.greeted(impatient, security)));
    for (const wire of wires) await envelope(wire);
    await impatient.ask('close');
    for (const wire of wires) await wire.rest();
    const ways = new Set(wires.map(({ ended }) => (ended === 'ECONNRESET' ? 'reset' : 'ended')));
    return [...ways].join();
  } finally {
    await impatient.stop();
  }
}

function yes(holds: boolean): string {
  return holds ? 'yes' : 'no';
}

/** The cells of a table in Markdown, by the first of their row. */
function rows(markdown: string): Record<string, Record<Runtime, string>> {
  const lines = markdown.split('\n').filter((line) => line.startsWith('|'));
  const cells = lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return Object.fromEntries(cells.map(([row = '', node = '', deno = '', bun = '']) => [row, { node, deno, bun }]));
}
