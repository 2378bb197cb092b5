// `ehlo send` for who sits at a terminal: a real one, that Python makes.
import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { plain } from 'ehlo/sasl';
import { run } from './clients.mjs';
import { scenario } from './stage.mjs';

const PYTHON = fileURLToPath(new URL('terminal.py', import.meta.url));
const EHLO = fileURLToPath(new URL('../../packages/ehlo/bin/ehlo.js', import.meta.url));
const PASSWORD = 'correct horse';
/** ECMA-48 8.3.41, EL: erases the rest of the line. */
const ERASE = '\x1b[K';

export const terminalScenarios = [
  scenario('a terminal: the password is asked for and not shown, and progress is', onTerminal),
  scenario('a terminal: many messages, and a bar that fills', many),
  scenario('a terminal: Ctrl-C where the password is asked for', interrupted),
];

async function onTerminal(stage) {
  let received = 0;
  const auth = { mechanisms: [plain()], lookup: () => PASSWORD, inClear: true };
  const server = await stage.serve(
    'sink',
    {
      async message({ body }) {
        // Long enough to be looked at, whatever the sockets hold.
        for await (const bytes of body) {
          if (Math.floor((received + bytes.length) / 4_194_304) > Math.floor(received / 4_194_304)) await delay(120);
          received += bytes.length;
        }
        return true;
      },
    },
    { auth, limits: { messageSize: 100_000_000 } },
  );
  const content = `Subject: large\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(400_000)}`;
  const to = ['--server', `127.0.0.1:${server.address.port}`, '--from', 'joe@client.example', '--to', 'ann@mx.example'];
  const how = ['--auth-user', 'tim', '--tls', 'none', '--allow-cleartext-auth', stage.file('large.eml', content)];
  const shown = await atTerminal(PASSWORD, ...to, ...how);
  assert.equal(received, content.length);
  assert(!shown.includes(PASSWORD));
  assert.match(shown, /^password of tim: \r\n/);
  // Drawn over and over on one line, and wiped away before the outcome.
  const bars = [...shown.matchAll(/\r\[(=* *)\] (\d+\.\d) MiB/g)];
  assert(bars.length >= 2, shown);
  assert(bars.every(([, bar]) => bar.length === 30));
  const sizes = bars.map(([, , size]) => Number(size));
  assert.deepEqual(
    sizes,
    [...sizes].sort((a, b) => a - b),
  );
  assert.match(shown.split(`\r${ERASE}`)[1] ?? shown, /accepted[^\r]*ann@mx\.example/);
}

async function many(stage) {
  let received = 0;
  const server = await stage.serve('sink', {
    async message({ body }) {
      await body.bytes();
      received++;
      // Longer than it takes until the bar is drawn again.
      if (received % 100 === 0) await delay(120);
      return true;
    },
  });
  const to = ['--server', `127.0.0.1:${server.address.port}`, '--from', 'joe@client.example', '--to', 'ann@mx.example'];
  const shown = await atTerminal('', ...to, '--count', '400', '--concurrency', '4', stage.file('small.eml', 'Subject: x\r\n'));
  assert.equal(received, 400);
  const bars = [...shown.matchAll(/\r\[(=* *)\] (\d+)\/400, \d+\/s/g)];
  assert(bars.length >= 2, shown);
  assert(bars.every(([, bar, done]) => bar.length === 30 && bar.trimEnd().length === Math.floor((Number(done) / 400) * 30)));
  assert.match(shown.split(`\r${ERASE}`)[1] ?? shown, /400 messages in [\d.]+ s, \d+\/s: 400 accepted/);
}

async function interrupted(stage) {
  const to = ['--server', '127.0.0.1:1', '--from', 'joe@client.example', '--to', 'ann@mx.example', '--auth-user', 'tim'];
  await assert.rejects(atTerminal('\x03', ...to, stage.file('small.eml', 'Subject: x\r\n')), /ended with 130/);
}

/** Sends, and answers the question for the password. */
function atTerminal(answer, ...options) {
  return run('python3', [PYTHON, 'password of tim: ', answer, process.execPath, EHLO, 'send', ...options]);
}
