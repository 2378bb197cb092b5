// How fast the spool is on this disk, and what a waiting job costs in memory: `npm run measure:spool`, `-- --messages N --together N --octets N --folder F`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { newJob } from '../../packages/delivery/dist/index.js';
import { openSpool } from '../../packages/relay/dist/spool/index.js';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000' },
    together: { type: 'string', default: '100' },
    octets: { type: 'string', default: '4096' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const messages = Number(values.messages);
const together = Number(values.together);
const content = [Buffer.alloc(Number(values.octets), 'a')];
const folder = mkdtempSync(join(values.folder, 'ehlo-spool-'));

const heap = () => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

/** Does all of it, so many at a time, and says how many that are in a second and what each costs. */
async function measure(what, work) {
  const cpu = process.cpuUsage();
  const from = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < messages) await work(next++);
  };
  await Promise.all(Array.from({ length: together }, worker));
  const seconds = (performance.now() - from) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  console.log(`${what}: ${Math.round(messages / seconds)}/s, ${Math.round((user + system) / messages)} µs of CPU each`);
}

const before = heap();
let spool = await openSpool(folder);
await measure(`put, ${together} at a time, ${values.octets} octets`, (number) => {
  const message = { id: `m${number}`, reversePath: 'ann@example.org', arrived: Date.now(), size: content[0].length };
  return spool.put([newJob(`m${number}-example.net`, message, 'example.net', [{ address: 'joe@example.net' }])], content);
});
await spool.close();

let from = performance.now();
spool = await openSpool(folder);
console.log(`open: ${messages} messages in ${Math.round(performance.now() - from)} ms`);
if (globalThis.gc !== undefined) console.log(`memory of a job that waits: ${Math.round((heap() - before) / messages)} octets`);

const leases = [];
from = performance.now();
while (leases.length < messages) leases.push(...(await spool.take(1000)));
console.log(`take, 1000 at a time: ${Math.round((messages / (performance.now() - from)) * 1000)}/s`);
await measure(`begin, content and settle, ${together} at a time`, async (number) => {
  const lease = leases[number];
  await spool.begin(lease, { attempt: 1, recipients: [0], at: Date.now() });
  for await (const _ of spool.content(lease.job.message.id));
  const recipients = [{ index: 0, state: 'relayed' }];
  await spool.settle(lease, { job: lease.job.id, tries: 0, attempt: 1, recipients, due: null, release: true, put: [] }, new Map());
});
await spool.close();
rmSync(folder, { recursive: true });
