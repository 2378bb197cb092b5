// What the READMEs show: every block of TypeScript compiles against the packages as they are built, and the first server does what it says.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { packages, root, text } from './house.ts';

const OUT = 'packages/proof/.results/readme';
const published = packages.filter(({ manifest }) => manifest.private !== true);
const PAGES = ['README.md', ...published.map(({ folder }) => `${folder}/README.md`)];

/** What the blocks take for granted. */
const GIVEN = `
import type { ClientAuth, Decision, Envelope, Handler, Listener, Message, Path, Stored, Transport } from 'ehlo';
declare global {
  const Bun: { file(path: string): { text(): Promise<string> } };
  const Deno: { readTextFile(path: string): Promise<string> };
  const accounts: Map<string, Stored>;
  const auth: ClientAuth;
  const buffer: Uint8Array[];
  const cert: string;
  const handler: Handler;
  const key: string;
  const listener: Listener;
  const message: Message;
  const password: string;
  const recipients: string[];
  const reversePath: string;
  const signal: AbortSignal;
  const transport: Transport;
  const user: string;
  const users: Set<string>;
  function createReadStream(file: string): AsyncIterable<Uint8Array>;
  function deliver(recipients: Envelope['recipients'], body: AsyncIterable<Uint8Array>): Promise<Decision[]>;
  function file(envelope: Envelope, bytes: Uint8Array): Promise<void>;
  function known(path: Path): Promise<boolean>;
  function store(envelope: Envelope, bytes: Uint8Array): Promise<void>;
  function write(bytes: Uint8Array): number;
}
`;

const blocks = PAGES.flatMap((page) =>
  Array.from(text(page).matchAll(/^```ts\n([\s\S]*?)^```/gm), ({ 1: code, index }) => {
    const line = text(page).slice(0, index).split('\n').length;
    return { file: `${page.replaceAll(/[/.]/g, '-')}-${line}.ts`, code: code! };
  }),
);

test('every block compiles', () => {
  rmSync(root + OUT, { recursive: true, force: true });
  mkdirSync(root + OUT, { recursive: true });
  for (const { file, code } of blocks) writeFileSync(`${root}${OUT}/${file}`, `${code}\nexport {};\n`);
  writeFileSync(`${root}${OUT}/given.ts`, GIVEN);
  // As they are published: from the build, by the conditions that everybody has.
  const paths = Object.fromEntries(
    published.flatMap(({ folder, manifest: { name, publishConfig } }) =>
      Object.entries(publishConfig?.exports ?? {}).map(([key, { types }]) => [name + key.slice(1), [`${root}${folder}/${types}`]]),
    ),
  );
  const compilerOptions = { paths, customConditions: [], isolatedDeclarations: false, composite: false, declarationMap: false };
  const config = { extends: '../../tsconfig.test.json', compilerOptions: { ...compilerOptions, declaration: false }, include: ['*.ts'] };
  writeFileSync(`${root}${OUT}/tsconfig.json`, JSON.stringify(config));
  expect(compile(`${root}${OUT}`)).toBe('');
});

test.each(['README.md', 'packages/ehlo/README.md'])('the first server of %s: domains in any case, and a postmaster', async (page) => {
  const [, code] = /^```ts\n(.*?)^```/ms.exec(text(page))!;
  const local = code!.replace("host: '::', port: 25,", 'port: 0,');
  expect(local).not.toBe(code);
  const module = `const store = async (): Promise<void> => {};\n${local}export { server };\n`;
  const file = `${root}packages/proof/.results/${page.replaceAll(/[/.]/g, '-')}.ts`;
  writeFileSync(file, module);
  const { server } = (await import(/* @vite-ignore */ file)) as { server: { address: { port: number }; close(): Promise<void> } };
  const answers = [
    'joe@EXAMPLE.org',
    'Postmaster',
    'POSTMASTER@example.org',
    'Joe@example.org',
    'postmaster@other.example',
    'eve@example.org',
  ];
  const said = await talk(server.address.port, [
    'EHLO client.example',
    'MAIL FROM:<ann@client.example>',
    ...answers.map((address) => `RCPT TO:<${address}>`),
    'QUIT',
  ]);
  await server.close();
  expect(said.slice(3, -1)).toEqual(['250', '250', '250', '550', '550', '550']);
});

function compile(folder: string): string {
  try {
    return execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', folder], { encoding: 'utf8' });
  } catch (error) {
    return String((error as { stdout?: string }).stdout);
  }
}

/** The codes of the greeting and of the replies. */
async function talk(port: number, commands: readonly string[]): Promise<string[]> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`${commands.join('\r\n')}\r\n`);
  const codes: string[] = [];
  for await (const line of createInterface({ input: socket })) if (line[3] === ' ') codes.push(line.slice(0, 3));
  return codes;
}
