// The module that signs for a relay, in the real command line, on each runtime.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Cli, test } from './cli.ts';

test('SIGHUP loads the module that signs anew: one that can not be loaded is told, once each time, until it is mended', async ({
  folder,
}) => {
  const [sign, key] = [join(folder, 'sign.mjs'), join(folder, 'key')];
  const whole = `import { readFileSync } from 'node:fs'; readFileSync(${JSON.stringify(key)}); export const sign = () => null;`;
  writeFileSync(key, 'key');
  writeFileSync(sign, whole);
  const file = join(folder, 'relay.json');
  writeFileSync(
    file,
    JSON.stringify({
      hostname: 'mx.example.org',
      postmaster: 'ann@example.net',
      listeners: [{ kind: 'mx', host: '127.0.0.1', port: 0 }],
      queue: { kind: 'memory' },
      delivery: { sign },
      log: { format: 'json' },
    }),
  );
  const cli = new Cli(['relay', '--config', file]);
  try {
    await cli.port();
    rmSync(key);
    let times = 0;
    for (const [text, words] of [
      ['export default 1;', 'exports no function sign'],
      ['export const sign = ;', 'can not be loaded: '],
      [whole, 'can not be loaded: ENOENT'],
      [whole, 'can not be loaded: ENOENT'],
    ] as const) {
      writeFileSync(sign, text);
      cli.child.kill('SIGHUP');
      times++;
      await cli.told(new RegExp(`(?:stays: .*delivery\\.sign: the module [^]*){${times}}`));
      expect(cli.errors.split('delivery.sign').at(-1)).toContain(words);
    }
    writeFileSync(key, 'another');
    cli.child.kill('SIGHUP');
    await cli.line(/"event":"reloaded"/);
    expect(cli.errors.split('delivery.sign')).toHaveLength(times + 1);
  } finally {
    cli.child.kill('SIGKILL');
  }
  await cli.exited;
});
