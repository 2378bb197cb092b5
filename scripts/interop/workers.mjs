// Cloudflare's Workers, by their own runtime: a client over its sockets, in clear, by STARTTLS and under TLS from the start.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plain } from 'ehlo/sasl';
import { build } from 'esbuild';
import { CA, CERTS, freePort, scenario, until } from './stage.mjs';

/** Several MB: more than any buffer between the two holds. */
const LONG = 4 * 1024 * 1024;
const HEADER = 'Subject: from a Worker\r\n\r\n'.length;

export const workers = scenario("Cloudflare's Workers: a client in clear, by STARTTLS, under TLS from the start", async (stage) => {
  const ask = await startWorker(stage);
  const certificate = (name) => ({ key: readFileSync(join(CERTS, `${name}.key`)), cert: readFileSync(join(CERTS, `${name}.crt`)) });
  const tls = certificate('server');
  const got = [];
  const failed = [];
  const handler = {
    async message({ body }, session) {
      got.push([(await body.bytes()).length, session.protocol, session.identity]);
      return true;
    },
    tlsFailed: (error) => failed.push(error),
  };
  const auth = { mechanisms: [plain()], lookup: () => 'pencil' };
  const plainly = await stage.serve('sink', handler, { tls, auth });
  const secure = await stage.serve('sink', handler, { tls, auth, implicitTls: true });
  const other = await stage.serve('sink', handler, { tls: certificate('other'), auth });
  const to = (way, options, { address } = way === 'implicit' ? secure : plainly) =>
    ask({ way, hostname: 'localhost', port: address.port, options, octets: LONG });
  const accepted = { status: 'accepted', error: null };
  assert.deepEqual(await to('clear', { starttls: 'off' }), accepted);
  assert.deepEqual(await to('starttls', { starttls: 'required', password: 'pencil' }), accepted);
  assert.deepEqual(await to('implicit', { password: 'pencil' }), accepted);
  assert.deepEqual(got, [
    [HEADER + LONG, 'ESMTP', null],
    [HEADER + LONG, 'ESMTPSA', 'joe'],
    [HEADER + LONG, 'ESMTPSA', 'joe'],
  ]);
  // Without startTls there is no STARTTLS; and who is not the host that was asked for gets no password.
  assert.deepEqual(await to('clear', { starttls: 'required' }), { code: 'tls-unavailable' });
  assert.deepEqual(await to('starttls', { starttls: 'required', password: 'pencil' }, other), { code: 'tls-failed' });
  assert.equal(got.length, 3);
  await until('the server to hear of the handshake', () => failed.length === 1);
});

/** Starts the runtime with the program of a Worker; what comes back asks that, and gives its answer. */
async function startWorker(stage) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('worker.mjs', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    external: ['cloudflare:sockets'],
  });
  stage.file('worker.js', outputFiles[0].text);
  stage.copy(CA);
  const port = await freePort();
  const config = stage.file(
    'config.capnp',
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")], compatibilityDate = "2026-01-01", globalOutbound = "internet")),
    (name = "internet", network = (allow = ["public", "private", "local"], tlsOptions = (trustedCertificates = [embed "ca.crt"])))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]);
`,
  );
  await stage.daemon('workerd', ['serve', config], [port]);
  return async (question) => (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON.stringify(question) })).json();
}
