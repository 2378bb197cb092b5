// What storing costs over sockets alone: as the floor, for a client that waits for each reply; what came in more lines than one is a message, and is
// on disk before it is answered.
import { type AddressInfo, createServer } from 'node:net';
import { Disk } from '../disk.ts';
import type { Answer } from '../workload.ts';
import { listening, received } from './report.ts';

const [schedule, folder] = process.argv.slice(2);
const { opening, cycle } = JSON.parse(schedule!) as { opening: readonly Answer[]; cycle: readonly Answer[] };
const LF = 0x0a;
const disk = await Disk.open(folder!);

const server = createServer({ noDelay: true }, (socket) => {
  let next = 0; // in opening, then in cycle again and again
  const due = (): Answer => opening[next] ?? cycle[(next - opening.length) % cycle.length]!;
  let left = due().lines; // lines until the next reply is due
  let parts: Uint8Array[] = [];
  socket.write('220 bench.example\r\n');
  socket.on('data', (bytes) => {
    received.octets += bytes.length;
    parts.push(bytes);
    for (const octet of bytes) if (octet === LF) left--;
    if (left > 0) return;
    const { lines, code } = due();
    const content = Buffer.concat(parts);
    const reply = (): void => void socket.write(`${code} bench.example\r\n`, 'latin1');
    parts = [];
    next++;
    left = due().lines;
    if (lines === 1) reply();
    else void disk.save(content).then(reply);
  });
  socket.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => listening((server.address() as AddressInfo).port));
