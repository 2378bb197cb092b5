// One target, fuzzed for its share of the time: what reaches code that nothing has reached before is kept, and changed again.
import { parentPort, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.mjs';
import { keptOf } from './kept.mjs';
import { changed, random } from './mutate.mjs';
import { shrunk } from './shrink.mjs';
import { TARGETS } from './targets.mjs';

const { name, share, seed, shared, longest } = workerData;
const target = TARGETS[name];
const [progress, input] = [new Int32Array(shared, 0, 2), new Uint8Array(shared, 8)];
/** Inputs between two looks at the coverage: a look costs as much as many runs. */
const BATCH = 40;

const dice = random(seed);
const coverage = new Coverage();
const corpus = [...target.seeds(), ...keptOf(name)].map((octets) => octets.subarray(0, longest));
const seeds = corpus.length;
let runs = 0;

/** What is wrong with an input; null: nothing. */
function breach(octets) {
  progress[1] = octets.length;
  input.set(octets);
  Atomics.store(progress, 0, ++runs);
  try {
    target.run(octets);
    return null;
  } catch (error) {
    return error.stack ?? String(error);
  }
}

function fuzz() {
  const end = Date.now() + share;
  for (const octets of corpus) {
    const wrong = breach(octets);
    if (wrong !== null) return { octets, wrong };
  }
  coverage.grows();
  while (Date.now() < end) {
    const batch = [];
    for (let i = 0; i < BATCH; i++) {
      const octets = changed(corpus, target.words, dice, longest);
      const wrong = breach(octets);
      if (wrong !== null) return { octets, wrong };
      batch.push(octets);
    }
    if (!coverage.grows()) continue;
    // One of them has reached something: a look behind each would cost too much, and behind none would keep too many.
    corpus.push(...batch.filter((_, i) => i % 8 === runs % 8), batch.at(-1));
  }
  return null;
}

const found = fuzz();
const small = found === null ? undefined : shrunk(found.octets, (octets) => breach(octets) !== null);
parentPort.postMessage({
  runs,
  corpus: corpus.length,
  fresh: corpus.slice(seeds),
  blocks: coverage.size,
  found: small === undefined ? undefined : { octets: small, message: breach(small) ?? found.wrong },
});
