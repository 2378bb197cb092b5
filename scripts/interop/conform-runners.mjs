// The runners of the wire checks in other languages, against our server: no violation, and nothing that it is asked in vain.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startServer } from './server.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const CHECKS = at('../../test-vectors/wire/server');
const RUNNERS = {
  Python: (server) => [
    'python3',
    [
      at('../../examples/runners/wire.py'),
      server,
      '--checks',
      CHECKS,
      '--from',
      's@client.example',
      '--to',
      'one@mx.example',
      '--to',
      'two@mx.example',
    ],
  ],
  Go: (server) => [
    'go',
    [
      'run',
      at('../../examples/runners/go/wire.go'),
      at('../../examples/runners/go/session.go'),
      '-checks',
      CHECKS,
      '-from',
      's@client.example',
      '-to',
      'one@mx.example,two@mx.example',
      server,
    ],
  ],
};

export const conformRunnerScenarios = Object.entries(RUNNERS).map(([language, commandFor]) => ({
  name: `conform: the wire checks, run by ${language}`,
  run: async () => {
    const server = await startServer('--preset', 'mx');
    try {
      const [command, args] = commandFor(`127.0.0.1:${server.port}`);
      const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      let text = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
      const [code] = await once(child, 'close');
      const of = (verdict) => Array.from(text.matchAll(new RegExp(`^${verdict} +([\\w-]+)`, 'gm')), ([, id]) => id);
      if (code > 1 || of('conforms').length < 200 || of('violates').length > 0)
        throw new Error(`it ended with ${code}: ${text.slice(-2000)}`);
    } finally {
      await server.stop();
      server.remove();
    }
  },
}));
