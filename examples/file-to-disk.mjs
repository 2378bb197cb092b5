// Each message is a file, which is on the disk before the client hears 250. `node examples/file-to-disk.mjs`, or by Deno or Bun.
import { mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, serve } from 'ehlo';

const folder = await mkdtemp(join(tmpdir(), 'mail-'));
let count = 0;

/** Writes under another name first: who looks for `.eml` finds whole messages only. */
async function store(body) {
  const file = join(folder, `${Date.now()}-${++count}.eml`);
  const draft = `${file}.part`;
  const handle = await open(draft, 'wx');
  try {
    // Throws where the client leaves in the middle. While the disk is slow, the client waits.
    for await (const bytes of body) await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await rm(draft);
    throw error;
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  await sync(folder); // the name, too, has to outlive a crash
}

async function sync(path) {
  const handle = await open(path);
  await handle.sync();
  await handle.close();
}

const server = await serve(
  { port: 0, hostname: 'mx.example.org', preset: 'mx' },
  {
    rcpt: () => true,
    async message({ body }) {
      await store(body); // what it throws, a full disk for one, is 451: the client keeps the message and comes again
      return true;
    },
  },
);

const client = await connect({ port: server.address.port });
const lines = Array.from({ length: 50_000 }, (_, i) => `.line ${i}\r\n`).join('');
const { outcomes } = await client.send(
  { reversePath: 'ann@client.example', recipients: ['joe@example.org'] },
  `Subject: long\r\n\r\n${lines}`,
);
await client.close();
await server.close();

const names = await readdir(folder);
const content = await readFile(join(folder, names[0]), 'latin1');
console.log(outcomes[0].status, names.length, names[0].endsWith('.eml'), content === `Subject: long\r\n\r\n${lines}`);
await rm(folder, { recursive: true });
