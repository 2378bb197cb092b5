// Jobs as each release has written them: the next one reads them.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Dispatcher, deliverySettings, type Job } from '../src/index.ts';
import { explainStep } from '../src/words.ts';

const folder = new URL('jobs/', import.meta.url);

test.each(readdirSync(folder))('%s goes on where it was left', (file) => {
  const job = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Job;
  const dispatcher = new Dispatcher(deliverySettings({ hostname: 'mx.example.org', sts: false }), () => 0.5);
  dispatcher.tick(job.due - 1);
  expect(dispatcher.add(job)).toBe(true);
  expect(dispatcher.nextOrder()).toBeNull();
  expect(dispatcher.deadline).toBe(job.due);
  expect(dispatcher.why(job.id, 0).map(explainStep)).toEqual([
    'mx.example.net said 452 (4.2.2, mailbox-full). (RFC 5321 4.2.1)',
    `It waits for its next try, at ${new Date(job.due).toISOString().slice(0, 19)}Z; 1 has failed. (RFC 5321 4.5.4.1)`,
  ]);
  dispatcher.tick(job.due);
  expect(dispatcher.nextOrder()).toMatchObject({ type: 'lookup', name: job.domain, rr: 'MX' });
});

test('what led to an order is said in plain words', () => {
  const dispatcher = new Dispatcher(deliverySettings({ hostname: 'mx.example.org', sts: false, allow: ['documentation'] }), () => 0.5);
  const message = { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 1 };
  dispatcher.add({
    version: 1,
    id: 'j',
    message,
    domain: 'example.net',
    recipients: [{ address: 'joe@example.net', state: 'due' }],
    due: 0,
  });
  for (let order = dispatcher.nextOrder(); order !== null; order = dispatcher.nextOrder()) {
    if (order.type !== 'lookup') continue;
    const base = { type: 'dns', to: order.id, security: 'insecure', ttl: 300 } as const;
    if (order.rr === 'MX') {
      const mx = [
        { preference: 10, exchange: 'a.example.net' },
        { preference: 20, exchange: 'MX.example.org' },
        { preference: 20, exchange: '.' },
      ];
      dispatcher.tell({ ...base, status: 'found', mx });
    } else if (order.rr === 'A') dispatcher.tell({ ...base, status: 'found', addresses: ['192.0.2.1', '10.0.0.1'] });
    else dispatcher.tell({ ...base, status: 'empty' });
  }
  expect(dispatcher.why('j', 0).map(explainStep)).toEqual([
    'The try begins; 0 have failed before. (RFC 5321 4.5.4.1)',
    'example.net has a null MX beside others: it is left aside. (RFC 7505 3)',
    'a.example.net takes mail for the domain, with preference 10. (RFC 5321 5.1)',
    'mx.example.org takes mail for the domain, with preference 20. (RFC 5321 5.1)',
    'a.example.net has 10.0.0.1, which is private: nothing is sent there. (RFC 6890 2)',
    'This host stands in the list: it and all that are not better are left out; 1 is left. (RFC 5321 5.1)',
    'a.example.net [192.0.2.1] is connected to, TLS: opportunistic (the domain has no policy). (RFC 5321 5.1)',
  ]);
});
