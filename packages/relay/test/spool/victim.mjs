// A process that puts, begins and settles as fast as it can, and says of each when it is durable, until it is killed: `victim.mjs FOLDER FIRST`.
import { newJob } from '@ehlo/delivery';
import { openSpool } from '@ehlo/relay/spool';

const [folder, first] = process.argv.slice(2);
const spool = await openSpool(folder);
const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);

async function put(number) {
  const message = { id: `m${number}`, reversePath: 'ann@example.org', arrived: Date.now(), size: 0 };
  await spool.put([newJob(`j${number}`, message, 'example.net', [{ address: 'joe@example.net' }])], [Buffer.from(`text ${number}`)]);
  say('put', `j${number}`);
}

async function settle(lease) {
  const { id } = lease.job;
  const attempt = (lease.job.begun?.attempt ?? 0) + 1;
  if (!(await spool.begin(lease, { attempt, recipients: [0], at: Date.now() }))) return;
  say('begun', id);
  const recipients = [{ index: 0, state: 'relayed' }];
  await spool.settle(lease, { job: id, tries: 0, attempt, recipients, due: null, release: true, put: [] }, new Map());
  say('over', id);
}

for (let number = Number(first); ; number += 8) {
  await Promise.all(Array.from({ length: 8 }, (_, index) => put(number + index)));
  // Some stay.
  await Promise.all((await spool.take(5)).map(settle));
}
