// Runs under newer Nodes what could tell them from the oldest: the tests of the adapter and of what it stands on. The Nodes come by npx.
import { readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { fetchNode, run } from './lib/run.mjs';

const NODES = ['24.21.0', '26.10.0'];
const PACKAGES = ['engine', 'sasl', 'driver', 'node'];
const VITEST = resolve('node_modules/vitest/vitest.mjs');

const failed = (await Promise.all(NODES.map(testAll))).flat().filter((ok) => !ok).length;
const runs = NODES.length * PACKAGES.length;
console.log(failed === 0 ? `nodes: ${runs} runs pass` : `nodes: ${failed} of ${runs} runs failed`);
process.exitCode = failed > 0 ? 1 : 0;

/** One package after the other: the Nodes are tested at the same time. */
async function testAll(version) {
  const results = PACKAGES.map((name) => ({ name, file: `packages/${name}/.results/node-${version.split('.')[0]}.json` }));
  // Yesterday's results must not stand in for today's.
  for (const { file } of results) rmSync(file, { force: true });
  const node = await fetchNode(version);
  const passed = [];
  for (const { name, file } of results) passed.push(node !== null && (await test(node, version, name, file)));
  return passed;
}

async function test(node, version, name, file) {
  const start = performance.now();
  const env = { EHLO_RESULTS: `node-${version.split('.')[0]}` };
  const { status, said, errors } = await run(node, [VITEST, 'run'], { cwd: `packages/${name}`, env: { ...process.env, ...env } });
  const count = status === 0 ? JSON.parse(readFileSync(file, 'utf8')).numPassedTests : 0;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${count > 0 ? 'ok    ' : 'FAILED'}  Node ${version}  ${name.padEnd(6)}  ${seconds.padStart(5)} s  ${count} tests`);
  if (count === 0) console.log(`${said}${errors}`);
  return count > 0;
}
