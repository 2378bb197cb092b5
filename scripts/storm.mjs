// A storm over each runtime's server, on loopback, bounded in count and time: it prints what was measured, and fails where a bound is broken.
// It alone holds limits of seconds, so it runs by itself. Words pick the runtimes.
import { greeted, wait } from './storm/clients.mjs';
import { PROGRAMS, Program } from './storm/program.mjs';
import { exhaust, leave, load, SCENES } from './storm/scenes.mjs';

const MIB = 1_048_576;
/** The next client has its greeting within this, and a server that closes is closed within its grace and this, in milliseconds. */
const BOUND = 1000;
const GRACE = 2000;
const FILES = 200;
const CONNECTIONS = 500;
/** What a runtime may keep when all have left: its own pools and caches. */
const KEPT_MEMORY = 192 * MIB;
const KEPT_FILES = 16;

const wanted = process.argv.slice(2);
const broken = [];

function told(what, value, idle, holds) {
  const figure = Number.isFinite(value) ? `${Math.round(value)} ms` : 'never';
  console.log(`  ${holds ? 'held  ' : 'BROKEN'}  ${figure.padStart(8)}  (idle: ${Math.round(idle)} ms)  ${what}`);
  if (!holds) broken.push(what);
}

function counted(what, value, bound) {
  const holds = value <= bound;
  console.log(`  ${holds ? 'held  ' : 'BROKEN'}  ${String(value).padStart(8)}  (at most ${bound})  ${what}`);
  if (!holds) broken.push(what);
}

/** What the machine takes when nothing else is to do: the worst of ten. */
async function idleFigure({ port }) {
  let worst = 0;
  for (let i = 0; i < 10; i++) worst = Math.max(worst, await greeted(port));
  return worst;
}

/** Until nobody is left, or in vain. */
async function emptied(program) {
  for (let i = 0; i < 400 && (await program.ask('held')) > 0; i++) await wait(20);
  return await program.ask('held');
}

async function storm(runtime) {
  console.log(runtime);
  const program = await Program.start(runtime, { connections: CONNECTIONS, grace: GRACE });
  const held = [];
  try {
    const idle = await idleFigure(program);
    await greeted(program.tlsPort, true);
    await emptied(program);
    const before = program.has;
    for (const { name, run, leavesFirst = false } of SCENES) {
      await run(program, held);
      if (leavesFirst) leave(held);
      const took = await greeted(program.port);
      told(name, took, idle, took <= BOUND);
      leave(held);
      await emptied(program);
    }
    const secured = await greeted(program.tlsPort, true);
    told('a handshake and a greeting behind all that', secured, idle, secured <= BOUND);
    counted('sessions, and connections that linger', await emptied(program), 0);
    counted('descriptors more than before', program.has.files - before.files, KEPT_FILES);
    await program.ask('heap');
    counted('MiB more than before', Math.round((program.has.memory - before.memory) / MIB), KEPT_MEMORY / MIB);
    await load(program, held);
    const begun = performance.now();
    await program.ask('close');
    const took = performance.now() - begun;
    told(`close() under load, with a grace of ${GRACE} ms`, took, idle, took <= GRACE + BOUND);
  } finally {
    leave(held);
    await program.stop();
  }
  await shortage(runtime);
}

/** A process with few descriptors: they are used up, and free again. */
async function shortage(runtime) {
  const program = await Program.start(runtime, { connections: 10_000 }, FILES);
  const held = [];
  try {
    const idle = await idleFigure(program);
    await exhaust(program, held);
    leave(held);
    const took = await greeted(program.port);
    told(`descriptors used up (${FILES}), and free again`, took, idle, took <= BOUND);
    counted('sessions, and connections that linger', await emptied(program), 0);
  } finally {
    leave(held);
    await program.stop();
  }
}

for (const runtime of Object.keys(PROGRAMS)) if (wanted.length === 0 || wanted.includes(runtime)) await storm(runtime);
console.log(broken.length === 0 ? 'every bound was held' : `${broken.length} bounds were broken`);
process.exitCode = broken.length === 0 ? 0 : 1;
