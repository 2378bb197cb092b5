// What speaks to other mail catchers, with the API of the page. { name, run }.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MailpitClient } from 'mailpit-api';
import { scenario, until } from './stage.mjs';
import { site } from './web.mjs';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/interop', import.meta.url));

async function mailpit(stage) {
  const { url, send } = await site(stage);
  const client = new MailpitClient(url.replace(/\/$/, ''));
  await send({ subject: 'one', html: '<p>Hello</p>', attachments: [{ filename: 'a.txt', content: 'octets' }] });
  await send({ subject: 'two', to: 'carol@mx.example' });
  await until('both', async () => (await client.listMessages()).total === 2);
  const { messages } = await client.searchMessages({ query: 'subject:one' });
  assert.deepEqual([messages.length, messages[0].Subject, messages[0].From.Address], [1, 'one', 'ann@client.example']);
  const { ID, HTML, Attachments } = await client.getMessageSummary(messages[0].ID);
  assert.deepEqual([HTML, Attachments.map(({ FileName }) => FileName)], ['<p>Hello</p>', ['a.txt']]);
  assert.equal(await (await client.getMessageAttachment(ID, Attachments[0].PartID)).text?.(), 'octets');
  assert.match(await client.getMessageSource(ID), /^Return-Path: <ann@client\.example>\r\n/);
  assert.deepEqual((await client.getMessageHeaders(ID)).Subject, ['one']);
  assert.match(await client.renderMessageHTML(ID), /Hello/);
  assert.equal((await client.waitForMessage({ query: 'to:carol@mx.example' })).Subject, 'two');
  await client.setReadStatus({ IDs: [ID], Read: false });
  assert.equal((await client.getInfo()).Unread, 2);
  await client.deleteMessagesBySearch({ query: 'subject:two' });
  await client.deleteMessages();
  assert.equal((await client.listMessages()).total, 0);
}

/** Its commands, with just as much of Cypress as they need. */
async function maildev(stage) {
  const { url, send } = await site(stage);
  const { hostname, port } = new URL(url);
  const known = { MAILDEV_PROTOCOL: 'http', MAILDEV_HOST: hostname, MAILDEV_API_PORT: port };
  const chain = (promise) => Object.assign(promise, { its: (name) => chain(promise.then((value) => value[name])) });
  const request = async ({ method, url, headers }) => ({ body: await (await fetch(url, { method, headers })).json() });
  Object.assign(globalThis, { Cypress: { expose: (name) => known[name] }, cy: { request: (given) => chain(request(given)), wrap: chain } });
  stage.later(() => {
    delete globalThis.Cypress;
    delete globalThis.cy;
  });
  const { MaildevCommands } = createRequire(import.meta.url)(join(unpacked('cypress-maildev', '2.0.0'), 'build/maildevCommands.js'));
  const commands = new MaildevCommands();
  assert.equal(await commands.maildevHealthcheck(), true);
  await send({ subject: 'one' });
  await send({ subject: 'two', to: 'carol@mx.example' });
  await until('both', async () => (await commands.maildevGetAllMessages()).length === 2);
  assert.equal((await commands.maildevGetLastMessage()).subject, 'two');
  const { id } = await commands.maildevGetMessageBySubject('one');
  assert.equal((await commands.maildevGetMessageById(id)).text.trim(), 'text');
  assert.equal((await commands.maildevGetMessageBySentTo('carol@mx.example')).subject, 'two');
  await commands.maildevDeleteMessageById(id);
  await commands.maildevDeleteAllMessages();
  assert.deepEqual(await commands.maildevGetAllMessages(), []);
}

/** A package without what it stands on, and its scripts are not run. */
function unpacked(name, version) {
  const folder = join(CACHE, `${name}-${version}`);
  if (existsSync(folder)) return join(folder, 'package');
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync('sh', ['-c', `npm pack --silent ${name}@${version} && tar xzf ./*.tgz`], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return join(folder, 'package');
}

export const webClientScenarios = [
  scenario("mailpit's client library: the page's API", mailpit),
  scenario("maildev's commands for Cypress: the page's API", maildev),
];
