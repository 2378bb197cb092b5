// A server that stores what it accepts, in a process of its own: Node, Deno or Bun runs this file as it is. Every message is written to the end of a
// file before it is accepted; what a process has written stays when it is killed. A line in asks, a line out answers, in JSON.
import { openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { serve } from '../../packages/ehlo/dist/index.js';

const [path, runtime] = process.argv.slice(2);
const file = openSync(path, 'a');
const { serve: serveHere } = await import(`../../packages/${runtime}/dist/index.js`);
if (serve !== serveHere) throw new Error(`this is not ${runtime}`);

const server = await serve(
  { port: 0, hostname: 'mx.example.org', preset: 'sink', limits: { output: 4096 } },
  {
    async message({ envelope, body }) {
      const octets = await body.bytes();
      const header = new TextEncoder().encode(`${envelope.reversePath.localPart} ${octets.length}\n`);
      const record = new Uint8Array(header.length + octets.length);
      record.set(header);
      record.set(octets, header.length);
      // One call: a process that is killed has written all of it or none.
      for (let at = 0; at < record.length; ) at += writeSync(file, record.subarray(at));
      return true;
    },
  },
);

const commands = {
  held: () => server.connections + server.lingering,
  /** What is left on the heap when all is collected that can be. */
  heap() {
    // To V8, true would mean the young ones only.
    if (globalThis.Bun) globalThis.Bun.gc(true);
    else globalThis.gc();
    return process.memoryUsage().heapUsed;
  },
};

console.log(JSON.stringify({ port: server.address.port }));
for await (const command of createInterface({ input: process.stdin })) console.log(JSON.stringify({ answer: commands[command]() }));
process.exit(0);
