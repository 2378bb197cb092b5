// The floor: what the sockets alone cost. It is told how many lines get which reply, counts them, and knows nothing of SMTP.
import { type AddressInfo, createServer } from 'node:net';
import type { Answer } from '../workload.ts';
import { listening, received } from './report.ts';

const { opening, cycle } = JSON.parse(process.argv[2]!) as { opening: readonly Answer[]; cycle: readonly Answer[] };
const LF = 0x0a;

const server = createServer({ noDelay: true }, (socket) => {
  let next = 0; // in opening, then in cycle again and again
  let left = 0; // lines until the next reply is due
  const due = (): Answer => opening[next] ?? cycle[(next - opening.length) % cycle.length]!;
  left = due().lines;
  socket.write('220 bench.example\r\n');
  socket.on('data', (bytes) => {
    received.octets += bytes.length;
    let replies = '';
    let lines = left;
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== LF || --lines > 0) continue;
      replies += `${due().code} bench.example\r\n`;
      next++;
      lines = due().lines;
    }
    left = lines;
    if (replies !== '') socket.write(replies, 'latin1');
  });
  socket.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => listening((server.address() as AddressInfo).port));
