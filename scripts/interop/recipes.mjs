// The recipes of examples/testing, carried out as far as one machine can: a browser's test, and what runners of CI do.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { run } from './clients.mjs';
import { find } from './programs.mjs';
import { freePort, scenario, until } from './stage.mjs';

const FOLDER = new URL('../../examples/testing/', import.meta.url);
const PACKAGE = fileURLToPath(new URL('../../packages/ehlo', import.meta.url));

export const recipeScenarios = [
  scenario('a browser: an end-to-end test signs up, and follows the link of the mail', endToEnd),
  scenario('smtplib: ehlo/testing, a workflow of GitHub, step by step', github),
  scenario('smtplib: ehlo/testing, a service of GitLab', gitlab),
];

async function endToEnd() {
  const file = fileURLToPath(new URL('end-to-end.test.mjs', FOLDER));
  const said = await run(process.execPath, ['--test', '--test-reporter=tap', file], '', { ...process.env, CHROMIUM: find('chromium') });
  assert.match(said, /^# pass 2$/m);
  assert.match(said, /^# fail 0$/m);
}

async function github(stage) {
  const port = await checkout(stage);
  const { jobs } = recipe('github-actions.yml', port);
  const steps = jobs.test.steps.filter((step) => step.run !== undefined);
  assert.equal(steps.length, 3);
  let said = '';
  for (const step of steps) said = await shell(stage, step.run);
  // The last step shows both.
  assert.match(said, /S: 452 4\.2\.2 Mailbox full/);
  assert.match(said, /^Subject: Welcome/m);
}

async function gitlab(stage) {
  const port = await checkout(stage);
  const { test } = recipe('gitlab-ci.yml', port);
  const [{ command }] = test.services;
  const service = start(stage, command[0], command.slice(1));
  await until('the service', () => service.said().includes('listening on'));
  for (const line of test.script) await shell(stage, line, { MAIL_HOST: '127.0.0.1' });
}

/** What a runner has: the files of a repository, and the package as `npx` finds it. Returns a port, in the place of 1025. */
async function checkout(stage) {
  const port = await freePort();
  for (const name of readdirSync(FOLDER)) if (/\.(?:py|json5)$/.test(name)) stage.file(name, withPort(name, port));
  mkdirSync(stage.path('node_modules/.bin'), { recursive: true });
  symlinkSync(`${PACKAGE}/bin/ehlo.js`, stage.path('node_modules/.bin/ehlo'));
  symlinkSync(PACKAGE, stage.path('node_modules/ehlo'));
  return port;
}

function recipe(name, port) {
  return parse(withPort(name, port));
}

function withPort(name, port) {
  return readFileSync(new URL(name, FOLDER), 'utf8').replaceAll('1025', String(port));
}

/** A step as a runner takes it: by a shell that ends at the first failure. What it leaves behind goes on. */
async function shell(stage, script, env = {}) {
  const { child, said } = start(stage, 'bash', ['-e', '-c', script], env);
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, `${script}\n${said()}`);
  return said();
}

/** A program in a group of its own, which ends with the scenario. */
function start(stage, program, args, env = {}) {
  const child = spawn(program, args, {
    cwd: stage.folder,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  }
  stage.logs.push(() => `${program} ${args.join(' ')}: ${said}`);
  stage.later(async () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All of it has ended.
    }
  });
  return { child, said: () => said };
}
