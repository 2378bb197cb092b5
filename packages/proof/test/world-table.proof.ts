// Hosts as tables answer as the engines do: the same sessions with both, with the same chance.
import type { OpenOrder } from '@ehlo/delivery';
import { expect, test } from 'vitest';
import { Chance } from './world/chance.ts';
import { LINE_FAULTS, type LineFault, SERVER_FAULTS } from './world/faults.ts';
import { CountedChance, Host } from './world/host.ts';
import { connectTo } from './world/line.ts';
import { HostTable } from './world/table.ts';
import { WorldTime } from './world/world-time.ts';

const KINDS = ['none', ...Object.keys(SERVER_FAULTS), ...Object.keys(LINE_FAULTS)];
const NAME = 'mx1.example';
const MODES = ['clear', 'opportunistic', 'encrypt', 'name', 'dane'] as const;

test.each(KINDS.flatMap((kind) => [[kind, true] as const, [kind, false] as const]))('%s, with TLS: %s', async (kind, hasTls) => {
  const stubs = SERVER_FAULTS[kind] ?? [];
  const fault = kind in LINE_FAULTS ? (kind as LineFault) : null;
  const tls = hasTls ? { name: NAME, key: 'a'.repeat(64) } : null;
  const chance = new Chance(KINDS.indexOf(kind) + 1);
  const table = await HostTable.of(stubs, fault, hasTls);
  const stored: { engine: string[][]; table: string[][] } = { engine: [], table: [] };
  const host = new Host(NAME, stubs, fault, tls, { stored: (_, recipients) => stored.engine.push([...recipients]) });
  const own = new CountedChance(stubs, fault);
  for (let session = 0, now = 0; session < 40; session++) {
    // Far enough from each other that what greylists and throttles count is the same for both.
    now += 1_000_000;
    const mode = chance.of(MODES);
    const tlsa = [{ usage: 3, selector: 1, matching: 1, data: (chance.is(0.5) ? 'a' : 'b').repeat(64) }];
    const demand = {
      mode,
      names: [chance.of([NAME, 'other.example'])],
      tlsa,
      least: null,
      requireTls: false,
      testing: chance.is(0.2),
      because: 'route',
    } as const;
    const order: OpenOrder = { type: 'open', id: 1, target: { host: NAME, address: '192.0.2.1', port: 25, protocol: 'smtp' }, tls: demand };
    const sends = Array.from({ length: 1 + chance.below(3) }, (_, number) => ({
      reversePath: `s${chance.below(100)}@d0.example`,
      recipients: Array.from({ length: 1 + chance.below(3) }, (__, index) => ({
        job: 'j',
        index,
        address: `r${session}.${number}.${index}@d1.example`,
        parameters: {},
      })),
      isWhole: chance.is(0.8),
    }));
    expect(await byTable(table, own, order, tls, now, sends, stored.table), `session ${session}`).toEqual(
      await byEngine(host, order, now, sends),
    );
    expect(stored.table).toEqual(stored.engine);
  }
});

interface Send {
  readonly reversePath: string;
  readonly recipients: readonly { readonly job: string; readonly index: number; readonly address: string; readonly parameters: object }[];
  readonly isWhole: boolean;
}

async function byEngine(host: Host, order: OpenOrder, now: number, sends: readonly Send[]): Promise<unknown[]> {
  const time = new WorldTime();
  const said: unknown[] = [];
  let isOver = false;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => time.in(ms, resolve));
  const run = async (): Promise<void> => {
    await pause(now);
    const session = await connectTo(host, order, '198.51.100.1', time, pause);
    said.push('opened' in session ? session.opened : session);
    for (const { isWhole, ...transaction } of 'opened' in session ? sends : []) {
      if (!('opened' in session)) return;
      const content = async function* (): AsyncGenerator<Uint8Array> {
        yield new TextEncoder().encode('X-Id: m\r\n\r\nhello\r\n');
        if (!isWhole) throw new Error('it breaks off');
      };
      const { outcomes, open } = await session.send({ ...transaction, parameters: {}, convert: false }, content());
      said.push({ outcomes, open });
      if (!open) return;
    }
    if ('opened' in session) session.close();
  };
  void run().then(() => {
    isOver = true;
  });
  await time.run(() => isOver);
  return said.map(plain);
}

async function byTable(
  table: HostTable,
  chance: CountedChance,
  order: OpenOrder,
  tls: Host['tls'],
  now: number,
  sends: readonly Send[],
  stored: string[][],
): Promise<unknown[]> {
  const session = table.open(order, chance, tls, now, '198.51.100.1');
  if ('refusal' in session) return [plain(session.refusal)];
  const said: unknown[] = [session.opened];
  for (const { isWhole, ...transaction } of sends) {
    const { outcomes, open, stored: copies } = session.send(transaction, now, () => isWhole);
    for (const copy of copies) stored.push(copy.map((index) => transaction.recipients[index]!.address));
    said.push({ outcomes, open });
    if (!open) break;
  }
  return said.map(plain);
}

/** Without the number of a transaction, and the name that a host calls itself. */
function plain(value: unknown): unknown {
  const text = JSON.stringify(value, (key, inner: unknown) => (key === 'transaction' ? undefined : inner));
  return JSON.parse(text.replaceAll(/(?:host|mx1)\.example/g, 'the host'));
}
