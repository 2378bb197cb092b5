// An end-to-end test: a browser signs up, the program sends a mail, and the browser follows its link.
// `node --test examples/testing/end-to-end.test.mjs`, with CHROMIUM for the path of a browser that Playwright has not brought.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { testServer } from 'ehlo/testing';
import { createTransport } from 'nodemailer';
import { chromium } from 'playwright-core';

let mx;
let program;
let browser;

before(async () => {
  mx = await testServer();
  // The program under test is given the address of its mail server, as it is in production: by an option or the environment.
  program = await startProgram(mx.url);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  program?.close();
  await mx?.close();
});

test('who signs up gets a mail, and its link opens the account', async () => {
  const page = await browser.newPage();
  await page.goto(program.url);
  await page.fill('input[name=address]', 'ann@example.org');
  await page.click('button');
  const mail = await mx.next({ to: 'ann@example.org' });
  assert.equal(mail.subject, 'Please confirm');
  await page.goto(mail.links[0]);
  assert.equal(await page.textContent('h1'), 'Welcome, ann@example.org');
});

test('who can not be reached by mail is told so on the page', async () => {
  mx.on.rcpt('nobody@example.org').reply(550, '5.1.1', 'No such user');
  const page = await browser.newPage();
  await page.goto(program.url);
  await page.fill('input[name=address]', 'nobody@example.org');
  await page.click('button');
  assert.equal(await page.textContent('h1'), 'There is no mailbox nobody@example.org');
});

/** A program of a few lines that has all that such a test is about: a form, a mail, a link. */
async function startProgram(mailServer) {
  const transport = createTransport(mailServer);
  const accounts = new Map();
  const page = (text) => `<!doctype html><h1>${text}</h1><form method="post"><input name="address"><button>Sign up</button></form>`;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, program.url);
    response.setHeader('content-type', 'text/html; charset=utf-8');
    if (request.method !== 'POST') return response.end(page(accounts.has(pathname) ? `Welcome, ${accounts.get(pathname)}` : 'Sign up'));
    let body = '';
    for await (const piece of request) body += piece;
    const address = new URLSearchParams(body).get('address');
    const path = `/${crypto.randomUUID()}`;
    const mail = { from: 'shop@example.org', to: address, subject: 'Please confirm', html: `<a href="${program.url}${path}">Confirm</a>` };
    const sent = await transport.sendMail(mail).then(
      () => true,
      () => false,
    );
    if (sent) accounts.set(path, address);
    response.end(page(sent ? 'Look into your mailbox' : `There is no mailbox ${address}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
