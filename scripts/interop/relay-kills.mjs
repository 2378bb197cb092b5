// Many messages through Postfix, `ehlo relay` and Exim, and the other way round, while the relay is killed again and again and the last one refuses some for good
// and some at first. `--messages=1000` for more than a build has time for.
import { strict as assert } from 'node:assert';
import { setTimeout as pause } from 'node:timers/promises';
import { exim, eximServer } from './exim.mjs';
import { greylist } from './greylist.mjs';
import { postfix } from './postfix.mjs';
import { between, SOON } from './relay-between.mjs';
import { scenario, storedBy } from './stage.mjs';

const given = process.argv.find((arg) => arg.startsWith('--messages='))?.split('=')[1];
const COUNT = Number(given ?? 150);
/** Messages that are given at once; of every second time the relay is killed when it has taken some. */
const TOGETHER = 25;
/** Transactions that may be open when the relay is killed: sessions of its own with one host, and of who is before it. */
const MOST_TWICE = 40;
/** Milliseconds that are waited until some are taken: those before may have been all. */
const MOST_WAIT = 5000;
/** Milliseconds after which nothing comes any more. */
const PATIENCE = 60_000;

/** Who is before the relay tries again by himself, or is made to; who is behind asks whom to refuse. */
const WAYS = {
  'from Postfix to Exim': {
    before: async (stage, port) => {
      const submit = await postfix(stage, `smtp:[127.0.0.1]:${port}`, ['transport_maps =', ...SOON]);
      return { submit: (messages) => submit(messages, { isWaited: false }), again: async () => {} };
    },
    behind: (stage, port, list) => eximServer(stage, port, list.exim),
  },
  'from Exim to Postfix': {
    before: async (stage, port) => {
      const submit = exim(stage, port, [], [], RETRY);
      return { submit, again: submit.again };
    },
    behind: async (stage, port, list) => (await postfix(stage, `smtp:[127.0.0.1]:${port}`, [list.postfix, 'transport_maps ='])).port,
  },
};

/** Exim's rule for all: it gives nothing up. */
const RETRY = ['begin retry', '* * F,2d,1s'];

export const relayKillScenarios = Object.entries(WAYS).map(([way, one]) => ({
  ...scenario(`ehlo relay: ${way}, ${COUNT} messages among kill -9 and refusals`, (stage) => amongKills(stage, way, one)),
  root: true,
}));

/** The recipients of a message: who is taken, and for some one more, who is refused at first, or for good. */
function recipientsOf(n) {
  const more = { 3: [`grey${n}`], 7: [`never${n}`] }[n % 10] ?? [];
  return [`one${n}`, ...more].map((local) => `<${local}@mx.example>`);
}

async function amongKills(stage, way, { before, behind }) {
  const list = await greylist(stage);
  const {
    server,
    submit: first,
    relay,
  } = await between(stage, before, (on, port) => behind(on, port, list), {
    preset: 'test',
    expiry: '5d',
    noticeExpiry: '5d',
    delayed: '0s',
  });
  const all = Array.from({ length: COUNT }, (_, n) => {
    return { from: `<s${n}@client.example>`, to: recipientsOf(n), content: `Subject: ${n}\r\n\r\n${n}\r\n` };
  });
  let kills = 0;
  for (let n = 0; n < COUNT; n += TOGETHER) {
    const submitting = first.submit(all.slice(n, n + TOGETHER));
    const killing = (n / TOGETHER) % 2 === 1 ? killed(relay) : null;
    if (killing !== null) kills++;
    // Both come to their end before either is told of.
    for (const { reason } of await Promise.allSettled([submitting, killing])) if (reason !== undefined) throw reason;
  }
  // Who is told of is the sender of a notice's message.
  const wanted = all.flatMap(({ from, to }) => to.map((path) => (path.startsWith('<never') ? from : path)));
  const came = () => server.events('message').flatMap(({ forwardPaths }) => forwardPaths);
  await whole(wanted, came, first.again);
  const messages = await storedBy(server);
  const paths = messages.flatMap(({ forwardPaths }) => forwardPaths);
  assert.deepEqual(
    [...new Set(paths)].filter((path) => !wanted.includes(path)),
    [],
    'delivered, though it was refused, or told of without need',
  );
  for (const { reversePath, content } of messages.filter(({ forwardPaths: [path] }) => path.startsWith('<s'))) {
    assert.equal(reversePath, '<>');
    assert.match(content, /\r\nFinal-Recipient: rfc822; ?never\d+@mx\.example\r\nAction: failed\r\nStatus: 5\.\d\.\d\r\n/);
  }
  // RFC 1047: of a session that was cut each side may think otherwise: one on the way in, and a few on the way out, a kill.
  const again = paths.length - wanted.length;
  assert(again <= kills * MOST_TWICE, `${again} came twice, with ${kills} kills`);
  const notices = wanted.filter((path) => path.startsWith('<s')).length;
  if (given !== undefined)
    console.log(
      `${way}: ${COUNT} messages, ${wanted.length} recipients, ${kills} kills, ${again} second copies, ${notices} told of, none lost`,
    );
}

/** When it has taken some more. */
async function killed(relay) {
  const taken = () => relay.said().match(/ info received /g)?.length ?? 0;
  const enough = taken() + TOGETHER / 4;
  const end = performance.now() + MOST_WAIT;
  while (taken() < enough && performance.now() < end) await pause(5);
  await relay.crash();
}

/** Until all that is wanted has come; gives up when nothing comes any more. */
async function whole(wanted, came, again) {
  let seen = 0;
  let since = performance.now();
  for (;;) {
    const paths = new Set(came());
    const missing = wanted.filter((path) => !paths.has(path));
    if (missing.length === 0) return;
    if (paths.size !== seen) since = performance.now();
    seen = paths.size;
    if (performance.now() - since > PATIENCE)
      throw new Error(`nothing comes any more: ${missing.length} are missing, ${missing.slice(0, 10)}`);
    await again();
    await pause(50);
  }
}
