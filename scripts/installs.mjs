// Proves what `npm install ehlo` gives: the packed packages in bare projects, by every loader, bundler, compiler and runtime that the README
// names. Each runs a server and sends it a mail, or is compiled. The tools come from the npm registry. Words pick the proofs whose names have them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fetchNode, run, someAtATime } from './lib/run.mjs';

const RESULTS = 'packages/ehlo/.results/installs.json';
/** Folders of the package, and of all that it needs of its neighbours. */
const PACKED = neighbours('ehlo');
const MOST = { packages: 17, megabytes: 9, image: 15 };
const NODES = ['22.23.3', '24.21.0'];
const TYPESCRIPTS = ['5.7.3', '5.8.3', '5.9.3', '6.0.3', '7.0.2'];
const BINARIES = { deno: resolve('packages/ehlo/node_modules/deno/deno'), bun: resolve('packages/ehlo/node_modules/bun/bin/bun.exe') };

const USE = `
async function main() {
  const stored = [];
  const server = await serve({ port: 0, hostname: 'mx.example.org', preset: 'mx', auth: { mechanisms: [plain()], lookup: () => null }, tls: undefined }, {
    rcpt: ({ forwardPath }) => mailboxKey(forwardPath) === 'joe@example.org' || reject(550, '5.1.1', 'no such user'),
    async message({ body }) {
      for await (const bytes of body) stored.push(...bytes);
      return true;
    },
  });
  const client = await connect({ host: server.address.address, port: server.address.port, starttls: 'off' });
  const { outcomes } = await client.send({ reversePath: 'ann@example.org', recipients: ['joe@example.org', 'eve@example.org'] }, 'Subject: hello\\r\\n\\r\\ntext\\r\\n');
  await client.close();
  await server.close();
  const said = [...outcomes.map(({ status }) => status), stored.length, parseProxy(new Uint8Array(0))];
  if (said.join() !== 'accepted,refused,24,') throw new Error(said.join());
}
`;
const IMPORTS = `import { connect, mailboxKey, reject, serve } from 'ehlo';
import { plain } from 'ehlo/sasl';
import { parseProxy } from 'ehlo/proxy';
`;
const REQUIRES = `const { connect, mailboxKey, reject, serve } = require('ehlo');
const { plain } = require('ehlo/sasl');
const { parseProxy } = require('ehlo/proxy');
`;
const ESM = `${IMPORTS}${USE}await main();\nconsole.log('done');\n`;
const CJS = `${REQUIRES}${USE}main().then(() => console.log('done'));\n`;
/** Types that a program names, of the package and of its entries. */
const TYPES = `export const handler: Handler = { message: async ({ body }, session: Session) => {
  for await (const bytes of body) console.log(bytes.length, session.id);
  return true;
} };
export const failed = (error: unknown): boolean => error instanceof ClientError && error.code === 'closing';
export const mechanisms: readonly ServerMechanism[] = [plain()];
export const password = (secret: Secret<string>): string => secret.expose();
`;
const TYPED = `import { ClientError, type Handler, type ServerMechanism, type Session } from 'ehlo';\nimport { plain, type Secret } from 'ehlo/sasl';\n${TYPES}`;

const folder = mkdtempSync(join(tmpdir(), 'ehlo-installs-'));
const results = { passed: 0, failed: 0, skipped: 0 };
try {
  await install();
  const words = process.argv.slice(2);
  const wanted = (await proofs()).filter(([name]) => words.every((word) => name.includes(word)));
  // Each has a folder of its own, or leaves the common one as it is.
  await someAtATime(availableParallelism(), wanted, ([name, prove]) => report(name, prove));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
mkdirSync(dirname(RESULTS), { recursive: true });
writeFileSync(RESULTS, `${JSON.stringify(results)}\n`);
console.log(`installs: ${results.passed} passed, ${results.failed} failed`);
process.exitCode = results.failed > 0 ? 1 : 0;

/** The packages alone, as npm installs them; the projects lie below and find them there. */
async function install() {
  for (const place of PACKED) await must('npx', ['pnpm', 'pack', '--pack-destination', join(folder, 'packed')], resolve(place));
  write('package.json', '{ "private": true }');
  await npm('.', packed());
}

async function proofs() {
  write('esm/main.mjs', ESM);
  write('cjs/main.cjs', CJS);
  const nodes = [['20', process.execPath]];
  for (const version of NODES) nodes.push([version, (await fetchNode(version)) ?? 'node-that-is-not-there']);
  const runtimes = [
    ...nodes.map(([version, node]) => [`Node ${version}`, [node]]),
    ['Node 20 without ES modules by require', [process.execPath, '--no-experimental-require-module'], ['cjs']],
    ['Deno', [BINARIES.deno, 'run', '--no-lock', '--node-modules-dir=manual', '--allow-net', '--allow-read', '--allow-env', '--allow-sys']],
    ['Bun', [BINARIES.bun, 'run', '--no-install']],
  ];
  return [
    ['packages and their size', countPackages],
    ['ehlo send composes by nodemailer, and asks for it', compose],
    ['ehlo/relay, by import and require', relay],
    ['the Dockerfile, step by step', dockerfile],
    ...runtimes.flatMap(([name, [binary, ...options], kinds = ['esm', 'cjs']]) =>
      kinds.map((kind) => [
        `${name}: ${kind === 'esm' ? 'import' : 'require'}`,
        () => done(binary, [...options, kind === 'esm' ? 'esm/main.mjs' : 'cjs/main.cjs']),
      ]),
    ),
    ['Jest 30, CommonJS', jest],
    ...firstTests(),
    ...typescripts(),
    [
      'esbuild',
      () => bundled('esbuild@0.28.2', ['esbuild', 'main.mjs', '--bundle', '--platform=node', '--format=esm', '--outfile=out/main.mjs']),
    ],
    [
      'esbuild, CommonJS',
      () => bundled('esbuild@0.28.2', ['esbuild', 'main.cjs', '--bundle', '--platform=node', '--outfile=out/main.cjs']),
    ],
    ['rolldown', () => bundled('rolldown@1.3.3', ['rolldown', 'main.mjs', '--platform', 'node', '--file', 'out/main.mjs'])],
    ['Vite', () => bundled('vite@8.4.0', ['vite', 'build', '--ssr', 'main.mjs', '--outDir', 'out'])],
  ];
}

function neighbours(name) {
  const folders = [...readdirSync('packages').map((one) => `packages/${one}`), 'test-vectors'].filter((one) =>
    existsSync(`${one}/package.json`),
  );
  const manifests = new Map(folders.map((one) => [one, JSON.parse(readFileSync(`${one}/package.json`, 'utf8'))]));
  const names = new Set([name]);
  const place = (wanted) => folders.find((one) => manifests.get(one).name === wanted);
  for (const one of names) {
    const { dependencies = {} } = manifests.get(place(one));
    for (const [dependency, version] of Object.entries(dependencies)) if (version.startsWith('workspace:')) names.add(dependency);
  }
  return [...names].map(place);
}

/** What a user has to download and to trust. */
async function countPackages() {
  const { packages } = JSON.parse(readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8'));
  const count = Object.keys(packages).length;
  const megabytes = sizeOf(join(folder, 'node_modules')) / 1e6;
  console.log(`        ${count} packages, ${megabytes.toFixed(1)} MB`);
  if (count > MOST.packages || megabytes > MOST.megabytes) throw new Error(`more than ${MOST.packages} packages or ${MOST.megabytes} MB`);
}

/** What composes is no part of the package: it is said what to install, and then it works. */
async function compose() {
  const send = ['ehlo', 'send', '--server', '127.0.0.1:1', '--from', 'a@a.example', '--to', 'b@b.example', '--subject', 'hello'];
  const code = async (where) => await run('npx', ['--no-install', ...send], { cwd: join(folder, where) });
  const without = await code('.');
  if (without.status !== 2 || !without.errors.includes('npm install nodemailer'))
    throw new Error(`it does not ask for it: ${without.errors}`);
  write('compose/package.json', '{ "private": true }');
  await npm('compose', [...packed(), 'nodemailer@10.6.0']);
  const { status, errors } = await code('compose');
  // Nobody is there to take it.
  if (status !== 69) throw new Error(`it ended with ${status}: ${errors}`);
}

/** A relay is installed beside. It is an ES module alone, and so is what stands on it: who can't require one is told so. */
async function relay() {
  const beside = join(folder, 'beside');
  for (const place of neighbours('@ehlo/relay').filter((one) => !PACKED.includes(one))) {
    await must('npx', ['pnpm', 'pack', '--pack-destination', beside], resolve(place));
  }
  write('relay/package.json', '{ "private": true }');
  await npm('relay', [...packed(), ...readdirSync(beside).map((file) => join(beside, file))]);
  write('relay/main.mjs', "import { relayRuntime } from 'ehlo/relay';\nif (typeof relayRuntime === 'function') console.log('done');\n");
  write(
    'relay/main.cjs',
    "const { relayRuntime } = require('ehlo/relay');\nif (typeof relayRuntime === 'function') console.log('done');\n",
  );
  for (const file of ['relay/main.mjs', 'relay/main.cjs']) {
    await done(process.execPath, [file]);
    await done(BINARIES.bun, ['run', '--no-install', file]);
  }
  const old = await run(process.execPath, ['--no-experimental-require-module', 'relay/main.cjs'], { cwd: folder });
  if (!['ERR_REQUIRE_ESM', 'import()'].every((word) => old.errors.includes(word))) throw new Error(`it is not told: ${old.errors}`);
}

/** What Docker would do with examples/testing/Dockerfile, in a folder in place of its root: a layer of few megabytes, and a server in it. */
async function dockerfile() {
  const lines = readFileSync('examples/testing/Dockerfile', 'utf8').split('\n');
  const port = await freePort();
  const root = join(folder, 'docker');
  const instructions = lines.map((line) => /^([A-Z]+) (.*)$/.exec(line)).filter((found) => found !== null);
  const of = (name) =>
    instructions
      .filter(([, one]) => one === name)
      .map(([, , text]) => text.replaceAll('1025', String(port)).replaceAll('/tmp', join(root, 'tmp')));
  const exec = (text) => JSON.parse(text.replace(/^.*?(?=\[)/, ''));
  const [layer] = of('WORKDIR').map((path) => join(root, path));
  write('docker/tmp/letter.eml', 'Subject: hello\r\n\r\nText\r\n');
  write(`docker${of('WORKDIR')[0]}/package.json`, '{ "private": true }');
  for (const command of of('RUN').flatMap((text) => text.split(' && ').filter((one) => one.startsWith('npm install')))) {
    const [program, ...args] = command.split(' ').flatMap((word) => (word === 'ehlo' ? packed() : [word]));
    await must(program, [...args, '--prefer-offline'], layer);
  }
  const megabytes = sizeOf(layer) / 1e6;
  console.log(`        ${megabytes.toFixed(1)} MB`);
  if (megabytes > MOST.image) throw new Error(`more than ${MOST.image} MB`);
  const env = { ...process.env, PATH: of('ENV')[0].replace('PATH=', root).replace('$PATH', process.env.PATH) };
  const [program, ...args] = [...exec(of('ENTRYPOINT')[0]), ...exec(of('CMD').at(-1))];
  const server = spawn(program, args, { cwd: layer, env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const ended = once(server, 'exit');
    await once(server.stdout.setEncoding('utf8'), 'data');
    server.stdout.resume();
    const [check, ...given] = exec(of('HEALTHCHECK')[0]);
    await must(check, given, layer);
    const send = ['send', '--server', `127.0.0.1:${port}`, '--from', 'a@a.example', '--to', 'b@b.example'];
    const login = ['--auth-user', 'anybody', '--allow-cleartext-auth', '--tls', 'none', join(root, 'tmp/letter.eml')];
    const result = await run(program, [...send, ...login], { cwd: layer, env: { ...env, EHLO_PASSWORD: 'any' } });
    if (result.status !== 0) throw new Error(`it takes no mail: ${result.said}${result.errors}`);
    // As `docker stop` does.
    server.kill('SIGTERM');
    const [code] = await ended;
    if (code !== 0) throw new Error(`it ended with ${code}`);
    if (readdirSync(join(root, 'tmp/mail/new')).length !== 1) throw new Error('the mail is not there');
  } finally {
    server.kill('SIGKILL');
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** The files of the packages. */
function packed() {
  return readdirSync(join(folder, 'packed')).map((file) => join(folder, 'packed', file));
}

function sizeOf(path) {
  const entry = statSync(path);
  return entry.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : entry.size;
}

async function jest() {
  write('jest/main.test.js', `${REQUIRES}${USE}test('a mail', main);\n`);
  write('jest/package.json', '{ "private": true }');
  await npm('jest', ['jest@30.5.2']);
  await must(process.execPath, ['node_modules/jest/bin/jest.js', '--ci', '--rootDir', '.'], 'jest');
}

/** The tests of docs/testing.md, as they stand: one for each runner, in a project with nothing else. */
function firstTests() {
  const page = readFileSync('docs/testing.md', 'utf8');
  const welcome = /^```js\n\/\/ welcome\.js\n([\s\S]*?)^```/m.exec(page)[1];
  // The page that most people read has the first of them.
  if (!readFileSync('README.md', 'utf8').includes(/^## vitest\n\n(```js\n[\s\S]*?^```)/m.exec(page)[1]))
    throw new Error('README.md has another first test than docs/testing.md');
  const block = (title) => new RegExp(`^## ${title}\\n\\n\`\`\`js\\n([\\s\\S]*?)^\`\`\``, 'm').exec(page)[1];
  const cjs = welcome
    .replace(/^import (.*) from (.*);$/m, 'const $1 = require($2);')
    .replace('export const sendWelcome', 'exports.sendWelcome');
  const deno = [BINARIES.deno, 'test', '--no-lock', '--node-modules-dir=manual', '-A', 'first.test.js'];
  const runners = [
    ['vitest', ['npx', '--no-install', 'vitest', 'run'], ['vitest@4.1.12']],
    ['jest', [process.execPath, 'node_modules/jest/bin/jest.js', '--ci', '--rootDir', '.'], ['jest@30.5.2']],
    ['node:test', [process.execPath, '--test', 'first.test.js'], []],
    ['Deno', deno, []],
    ['Bun', [BINARIES.bun, 'test'], []],
  ];
  return runners.map(([name, [program, ...args], tools]) => [
    `first test: ${name}`,
    async () => {
      const where = `first-${name.replace(':', '-')}`;
      const isCjs = name === 'jest';
      write(`${where}/package.json`, JSON.stringify({ private: true, type: isCjs ? 'commonjs' : 'module' }));
      write(`${where}/welcome.js`, isCjs ? cjs : welcome);
      write(`${where}/first.test.js`, block(name));
      await npm(where, ['nodemailer@10.6.0', ...tools]);
      await must(program, args, where);
    },
  ]);
}

/** Each compiler under its own name in one project. */
function typescripts() {
  write('typescript/package.json', '{ "private": true, "type": "module" }');
  write('typescript/esm.ts', TYPED);
  write('typescript/common.cts', TYPED);
  const options = { strict: true, noEmit: true, skipLibCheck: false, target: 'es2022', types: ['node'] };
  const kinds = {
    nodenext: { compilerOptions: { ...options, module: 'nodenext' }, files: ['esm.ts', 'common.cts'] },
    bundler: { compilerOptions: { ...options, module: 'esnext', moduleResolution: 'bundler' }, files: ['esm.ts'] },
  };
  for (const [kind, config] of Object.entries(kinds)) write(`typescript/${kind}.json`, JSON.stringify(config));
  let installing;
  const installed = () => {
    installing ??= npm('typescript', [
      '@types/node@20',
      ...TYPESCRIPTS.map((version) => `typescript-${version}@npm:typescript@${version}`),
    ]);
    return installing;
  };
  return TYPESCRIPTS.flatMap((version) =>
    Object.keys(kinds).map((kind) => [
      `TypeScript ${version}, ${kind}`,
      async () => {
        await installed();
        await must(process.execPath, [`node_modules/typescript-${version}/bin/tsc`, '-p', `${kind}.json`], 'typescript');
      },
    ]),
  );
}

/** Bundles the program, and runs what comes out. */
async function bundled(tool, [command, ...args]) {
  const name = `${command}-${args[0]}`;
  const entry = args.find((arg) => arg.startsWith('main.'));
  write(`${name}/package.json`, '{ "private": true, "type": "module" }');
  // Vite leaves the packages of a server out, unless it is told otherwise.
  write(`${name}/vite.config.js`, 'export default { ssr: { noExternal: true } };');
  write(`${name}/${entry}`, entry.endsWith('.cjs') ? CJS : ESM);
  await npm(name, [tool]);
  await must('npx', ['--no-install', command, ...args], name);
  const [out] = readdirSync(join(folder, name, 'out'));
  // Away from the packages: nothing is left to be found.
  const alone = join(mkdtempSync(join(tmpdir(), 'ehlo-bundle-')), out.replace(/\.js$/, '.mjs'));
  writeFileSync(alone, readFileSync(join(folder, name, 'out', out)));
  try {
    await done(process.execPath, [alone]);
  } finally {
    rmSync(dirname(alone), { recursive: true });
  }
}

async function report(name, prove) {
  const start = performance.now();
  const why = await prove().then(
    () => null,
    (error) => error,
  );
  results[why === null ? 'passed' : 'failed']++;
  console.log(`${why === null ? 'ok    ' : 'FAILED'}  ${name.padEnd(40)} ${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s`);
  if (why !== null) console.log(why.message);
}

/** Runs a program that says `done` when all was as it should be. */
async function done(program, args) {
  const { said } = await must(program, args, '.');
  if (!said.endsWith('done\n')) throw new Error(`it did not come to its end: ${said}`);
}

async function npm(where, names) {
  await must('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', ...names], where);
}

async function must(program, args, where) {
  const cwd = isAbsolute(where) ? where : join(folder, where);
  const result = await run(program, args, { cwd });
  if (result.status === 0) return result;
  throw new Error(`$ ${program} ${args.join(' ')}\n${(result.said + result.errors).slice(0, 4000)}`);
}

function write(path, text) {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
