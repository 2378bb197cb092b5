// A relay's queue on the page: what is told of it is bounded, and nothing is changed unless it may be.
import { expect } from 'vitest';
import type { QueueEntry, QueueSource } from '../src/index.ts';
import { test } from './site.ts';

const wishes: string[] = [];

function entry(id: string): QueueEntry {
  const message = { id: 'm', reversePath: '', arrived: 1000, size: 0 };
  const last = { at: 1, status: '4.0.0', category: 'system', reply: { code: 451, lines: ['x'.repeat(100_000)] } };
  return {
    state: 'due',
    job: { id, domain: 'example.net', due: 0, message, recipients: [{ address: 'joe@example.net', state: 'due', last }] },
  };
}

/** A queue without end, which says how many of it were taken. */
function endless(): QueueSource & { readonly taken: () => number; readonly isOver: () => boolean } {
  let taken = 0;
  let isOver = false;
  return {
    status: async () => ({}),
    jobs: async function* () {
      try {
        for (;;) yield entry(`j${taken++}`);
      } finally {
        isOver = true;
      }
    },
    why: async () => null,
    taken: () => taken,
    isOver: () => isOver,
  };
}

test('of a queue without end as much is taken as is shown, and its search ends', async ({ site }) => {
  const queue = endless();
  await site.open({ queue });
  const { status, body } = await site.ask('/api/queue/jobs?most=1000000');
  const { jobs, more } = JSON.parse(body.toString()) as { readonly jobs: readonly { readonly last: string }[]; readonly more: boolean };
  expect([status, jobs.length, more, queue.taken(), queue.isOver()]).toEqual([200, 200, true, 201, true]);
  expect(jobs[0]!.last).toHaveLength(2000);
});

test('a wish is refused to other sites, and where the page may only look', async ({ site }) => {
  const wish = async (what: string, id: string): Promise<string> => {
    wishes.push(`${what} ${id}`);
    return 'told';
  };
  const path = '/api/queue/jobs/j1/delete';
  await site.open({ queue: endless() });
  expect((await site.ask(path, { method: 'POST' })).status).toBe(403);
  await site.open({ queue: { ...endless(), wish } });
  for (const headers of [{ origin: 'http://evil.example' }, { 'sec-fetch-site': 'cross-site' }] as const) {
    expect((await site.ask(path, { method: 'POST', headers: headers as { [name: string]: string } })).status).toBe(403);
  }
  expect((await site.ask(path, { method: 'POST', headers: { host: 'evil.example' } })).status).toBe(421);
  for (const what of ['toString', 'retry%2F', '..'])
    expect((await site.ask(`/api/queue/jobs/j1/${what}`, { method: 'POST' })).status, what).toBe(404);
  expect((await site.ask(path)).status).toBe(405);
  expect(wishes).toEqual([]);
  expect(await site.json(path, { method: 'POST' })).toEqual({ id: 'j1', result: 'told' });
  expect(wishes).toEqual(['delete j1']);
  expect(await site.json('/api/queue')).toEqual({ operable: true, status: {} });
  expect(await site.json('/api/info')).toMatchObject({ queue: true });
});
