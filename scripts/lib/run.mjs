// Runs a program to its end, some work at a time, and finds Nodes of other versions.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Only ends what hangs. */
const PATIENCE = 600_000;

/** Resolves with its exit code and what it printed. */
export async function run(program, args, options = {}) {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], timeout: PATIENCE, killSignal: 'SIGKILL' });
  const [said, errors] = [[], []];
  child.stdout.on('data', (chunk) => said.push(chunk));
  child.stderr.on('data', (chunk) => errors.push(chunk));
  const [status] = await once(child, 'close');
  return { status, said: Buffer.concat(said).toString(), errors: Buffer.concat(errors).toString() };
}

/** Does the work for each item, so many at a time, in their order. */
export async function someAtATime(count, items, work) {
  const left = items.values();
  await Promise.all(
    Array.from({ length: count }, async () => {
      for (const item of left) await work(item);
    }),
  );
}

/** The path of the binary of a Node, which comes by npx, or null. */
export async function fetchNode(version) {
  const ask = 'node -p "JSON.stringify([process.versions.node, process.execPath])"';
  const { status, said, errors } = await run('npx', ['--yes', '--prefer-offline', '-p', `node@${version}`, '-c', ask]);
  const [found, path] = status === 0 ? JSON.parse(said) : [];
  if (found === version) return path;
  console.log(`FAILED  Node ${version} is not to be had\n${said}${errors}`);
  return null;
}
