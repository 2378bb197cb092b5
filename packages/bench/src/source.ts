import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Contender } from './contender.ts';
import type { Effort } from './row.ts';
import { CONNECTIONS, type SendingSample } from './sending.ts';
import { lines, SHAPES, sequential, small } from './workload.ts';

/** Messages of 4 KiB by Postfix's smtp-source: its processor time is in hundredths of a second, so there are many. */
export async function measureSource({ rounds, milliseconds }: Effort): Promise<SendingSample[]> {
  const server = await Contender.start('ehlo', sequential(small()));
  const size = lines(SHAPES.lines76, 4096).content.length;
  const count = Math.max(CONNECTIONS, 25 * milliseconds);
  const samples: SendingSample[] = [];
  try {
    for (let round = -1; round < rounds / 5; round++) {
      const args = ['-d', '-s', CONNECTIONS, '-m', count, '-l', size, '-f', 'sender@client.example', '-t', 'recipient@bench.example'];
      const start = performance.now();
      const child = spawn('sh', ['-c', 'smtp-source "$@" && times', 'sh', ...args.map(String), `127.0.0.1:${server.port}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.on('data', (bytes: Buffer) => {
        text += bytes.toString();
      });
      const [code] = (await once(child, 'close')) as [number];
      if (code !== 0) throw new Error('smtp-source has failed; where it is not installed: apt install postfix');
      const seconds = (performance.now() - start) / 1000;
      // The second line is that of the children: user and system.
      const used = [...text.split('\n')[1]!.matchAll(/(\d+)m([\d.]+)s/g)].map(([, m, s]) => 60 * Number(m) + Number(s));
      if (round >= 0) samples.push({ rate: count / seconds, cpu: (1e6 * used.reduce((sum, part) => sum + part, 0)) / count });
    }
  } finally {
    await server.stop();
  }
  return samples;
}
