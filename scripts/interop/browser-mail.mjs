// Pages in Chromium, as it is installed, that were made to send mail: nothing of what a browser sends delivers any.
import { strict as assert } from 'node:assert';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { PATIENCE, QUIET } from './browser.mjs';
import { find } from './programs.mjs';
import { startRelay } from './relay.mjs';
import { startServer } from './server.mjs';

const COMMANDS =
  '\r\nEHLO client.example\r\nMAIL FROM:<ann@client.example>\r\nRCPT TO:<bob@mx.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n';

/** A path that is longer than any command may be. */
const LONG = 'a'.repeat(5000);

/** What a page can do with the address of the server; and what must have left the browser by it. */
const WAYS = [
  ['fetch', "fetch(url, { method: 'POST', mode: 'no-cors', body })", /^POST \/ .*\r\nMAIL FROM:<ann@client\.example>\r\n/s],
  ['a long path', `fetch(url + '${LONG}', { method: 'POST', mode: 'no-cors', body })`, /^POST \/a{5000} .*\r\nMAIL FROM:/s],
  ['a beacon', 'navigator.sendBeacon(url, body)', /^POST \/ .*\r\nMAIL FROM:<ann@client\.example>\r\n/s],
  ['a form of plain text', "submit(url, body, 'text/plain')", /^POST \/ .*\r\nMAIL FROM:<ann@client\.example>\r\n/s],
  ['a form of parts', "submit(url, body, 'multipart/form-data')", /^POST \/ .*\r\nMAIL FROM:<ann@client\.example>\r\n/s],
  ['a method that needs leave', "fetch(url, { method: 'patch', body })", /^OPTIONS \/ /],
  ['a WebSocket', "new WebSocket(url.replace('http', 'ws'))", /^GET \/ /],
  ['TLS', "fetch(url.replace('http', 'https'), { mode: 'no-cors' })", /^[^ -~]{2}/],
];

const PAGE = `<!doctype html><iframe name="answer"></iframe><script>
function submit(action, body, enctype) {
  const form = Object.assign(document.createElement('form'), { action, enctype, method: 'post', target: 'answer' });
  const field = Object.assign(document.createElement('textarea'), { name: 'field', value: body });
  form.append(field);
  document.body.append(form);
  form.submit();
}
</script>`;

export const browserMail = { name: 'a browser: what its pages send delivers no mail', run: sendByBrowser };

async function sendByBrowser() {
  const server = await startServer('--preset', 'sink');
  const pages = createServer((_, response) => response.setHeader('content-type', 'text/html').end(PAGE));
  await new Promise((resolve) => pages.listen(0, '127.0.0.1', resolve));
  const program = await chromium.launch({ executablePath: find('chromium'), args: QUIET });
  try {
    const page = await program.newPage();
    page.setDefaultTimeout(PATIENCE);
    for (const [name, way, sent] of WAYS) {
      // An address of its own, so that no connection is one of before.
      const relay = await startRelay(server.port);
      try {
        await page.goto(`http://127.0.0.1:${pages.address().port}/`);
        const given = JSON.stringify({ url: `http://127.0.0.1:${relay.port}/`, body: COMMANDS });
        // It fails, as it should: what comes back is no answer to a request.
        await page.evaluate(`{ const { url, body } = ${given}; Promise.resolve(${way}).catch(() => undefined); undefined; }`);
        const told = await answered(relay, sent, name);
        for (const { server: said } of told) assert.match(said, /^(?:220 [^\n]*\n(?:421 4\.7\.0 [^\n]*\n)?)?$/, `${name}: ${said}`);
      } finally {
        await relay.close();
      }
    }
    assert.equal(await server.stop(), 0, server.errors);
    assert.deepEqual(server.list('new'), []);
  } finally {
    await program.close();
    pages.close();
    await server.stop();
    server.remove();
  }
}

/** Waits until what the page sends has left, and its connection was told to leave. */
async function answered(relay, sent, name) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const { recordings } = relay;
    if (recordings.some(({ client, server }) => sent.test(client) && server.includes('\r\n421 '))) return recordings;
    if (Date.now() > end) throw new Error(`${name}: ${JSON.stringify(recordings).slice(0, 2000)}`);
    await sleep(20);
  }
}
