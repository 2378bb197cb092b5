// The floor: what the sockets alone cost. It is told how many lines get which reply, counts them, and knows nothing of SMTP.
import { type AddressInfo, createServer } from 'node:net';
import type { Answer } from '../workload.ts';
import { listening, received } from './report.ts';

const { opening, cycle } = JSON.parse(process.argv[2]!) as { opening: readonly Answer[]; cycle: readonly Answer[] };
const LF = 0x0a;

/** A chunk of more octets is likely to be amid a body. */
const LARGE = 4096;

const server = createServer({ noDelay: true }, (socket) => {
  let next = 0; // in opening, then in cycle again and again
  let left = 0; // lines until the next reply is due
  const due = (): Answer => opening[next] ?? cycle[(next - opening.length) % cycle.length]!;
  left = due().lines;
  socket.write('220 bench.example\r\n');
  socket.on('data', (bytes) => {
    received.octets += bytes.length;
    if (bytes.length > LARGE) {
      const lines = count(bytes);
      if (lines < left) {
        left -= lines;
        return;
      }
    }
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

/** Lines, without a branch for each: as fast for short ones as for long ones. */
function count(bytes: Uint8Array): number {
  const whole = bytes.length - (bytes.length % 4);
  let lines = 0;
  for (let i = 0; i < whole; i += 4) lines += isLf(bytes[i]!) + isLf(bytes[i + 1]!) + isLf(bytes[i + 2]!) + isLf(bytes[i + 3]!);
  for (let i = whole; i < bytes.length; i++) lines += isLf(bytes[i]!);
  return lines;
}

function isLf(octet: number): number {
  return ((octet ^ LF) - 1) >>> 31;
}
