// Fuzzes what reads octets of strangers. `npm run fuzz -- --minutes 10 --only server,client --seed 7`; a case is run again by `--case FILE`. Each
// target has its share of the time, in a thread of its own, as many at a time as there are cores: one that does not come back is stopped, and its
// case kept. `--keep` adds what has reached new code to the corpus.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { keep } from './fuzz/kept.mjs';
import { TARGETS } from './fuzz/targets.mjs';
import { someAtATime } from './lib/run.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    only: { type: 'string' },
    seed: { type: 'string' },
    case: { type: 'string' },
    keep: { type: 'boolean' },
  },
});
/** Where cases are kept. */
const FOUND = '.fuzz';
/** The longest input. */
const LONGEST = 4096;
/** A run that takes longer does not come back, in milliseconds: it does as much in less than one. */
const PATIENCE = 20_000;

const names = values.only?.split(',') ?? Object.keys(TARGETS);
for (const name of names) if (TARGETS[name] === undefined) throw new Error(`--only takes some of ${Object.keys(TARGETS).join(', ')}`);
const seed = Number(values.seed ?? Date.now() % 1_000_000);

if (values.case !== undefined) again(values.case);
else {
  const cores = Math.min(availableParallelism(), names.length);
  const share = (Number(values.minutes) * 60_000 * cores) / names.length;
  console.log(`seed ${seed}, ${Math.round(share / 1000)} s for each of ${names.length} targets`);
  let failed = 0;
  await someAtATime(cores, names, async (name) => {
    failed += (await fuzzed(name, share)) ? 0 : 1;
  });
  console.log(failed === 0 ? 'nothing was found' : `${failed} targets have failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Runs a case that was kept: its name begins with that of its target. */
function again(file) {
  const [name] = basename(file).split('.');
  TARGETS[name].run(new Uint8Array(readFileSync(file)));
  console.log(`${file}: holds`);
}

/** Fuzzes one target. Returns whether all has held. */
function fuzzed(name, share) {
  const shared = new SharedArrayBuffer(8 + LONGEST);
  const [progress, input] = [new Int32Array(shared, 0, 2), new Uint8Array(shared, 8)];
  const worker = new Worker(new URL('./fuzz/worker.mjs', import.meta.url), { workerData: { name, share, seed, shared, longest: LONGEST } });
  return new Promise((resolve) => {
    let [runs, since] = [-1, 0];
    const done = (text, found) => {
      clearInterval(watch);
      console.log(`${name.padEnd(10)} ${text}`);
      if (found !== undefined) console.log(kept(name, found.octets, found.message));
      void worker.terminate().then(() => resolve(found === undefined));
    };
    const watch = setInterval(() => {
      const now = Atomics.load(progress, 0);
      if (now !== runs) [runs, since] = [now, Date.now()];
      else if (Date.now() - since > PATIENCE)
        done('does not come back', { octets: input.slice(0, progress[1]), message: 'does not come back' });
    }, 500);
    worker.once('message', ({ runs, corpus, fresh, blocks, found }) => {
      if (values.keep) keep(name, fresh);
      done(`${runs} runs, ${corpus} inputs kept, ${blocks} blocks of code`, found);
    });
    worker.once('error', (error) => done('the target itself has failed', { octets: input.slice(0, progress[1]), message: error.stack }));
  });
}

/** Writes a case, and says how it is run again. */
function kept(name, octets, message) {
  mkdirSync(FOUND, { recursive: true });
  const file = `${FOUND}/${name}.${createHash('sha256').update(octets).digest('hex').slice(0, 12)}`;
  writeFileSync(file, octets);
  return `${message}\n${octets.length} octets: ${JSON.stringify(Buffer.from(octets).toString('latin1').slice(0, 500))}\nnode scripts/fuzz.mjs --case ${file}`;
}
