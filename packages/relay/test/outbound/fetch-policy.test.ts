// RFC 8461 3.3, against a policy host of every kind.

import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { PolicyAnswer } from '@ehlo/delivery';
import { describe, expect, onTestFinished, test } from 'vitest';
import { outbound, type StsOptions } from '../../src/outbound/index.ts';
import { certificate, type Made } from './certificates.ts';
import { OPTIONS, root } from './harness.ts';

const NAME = 'mta-sts.example.net';
const good = certificate({ subject: NAME, names: [NAME], issuer: root });
const POLICY = 'version: STSv1\r\nmode: enforce\r\nmx: mx.example.net\r\nmax_age: 86400\r\n';
const asPolicy: RequestListener = (_, response) => void response.writeHead(200, { 'Content-Type': 'text/plain' }).end(POLICY);

async function host(answer: RequestListener = asPolicy, made: Made = good): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer({ key: made.key, cert: made.cert + root.cert }, (request, response) => {
    asked.push(`${request.method} https://${request.headers.host}${request.url}`);
    answer(request, response);
  });
  server.on('clientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, asked };
}

const found = (addresses: readonly string[]): StsOptions['lookUp'] => {
  return async ({ rr }) => {
    const own = addresses.filter((one) => one.includes(':') === (rr === 'AAAA'));
    return { status: own.length > 0 ? 'found' : 'empty', security: 'insecure', ttl: 60, addresses: own };
  };
};

function get(port: number, more: Partial<StsOptions> = {}, domain = 'example.net'): Promise<Omit<PolicyAnswer, 'type' | 'to'>> {
  const sts = { lookUp: found(['127.0.0.1']), allow: ['loopback'], port, ...more };
  return outbound({ ...OPTIONS, sts }).fetchPolicy({ type: 'policy', id: 1, domain });
}

const FAILED = { text: null, problem: 'sts-policy-fetch-error' };

test('a policy', async () => {
  const { port, asked } = await host();
  expect(await get(port)).toEqual({ text: POLICY });
  expect(asked).toEqual([`GET https://${NAME}:${port}/.well-known/mta-sts.txt`]);
});

test('with parameters of its media type', async () => {
  const { port } = await host((_, response) => void response.writeHead(200, { 'Content-Type': 'Text/Plain; charset=utf-8' }).end(POLICY));
  expect(await get(port)).toEqual({ text: POLICY });
});

test.each([
  ['another type', 200, 'text/html', POLICY],
  ['no type', 200, undefined, POLICY],
  ['301, which is not followed', 301, 'text/plain', POLICY],
  ['206', 206, 'text/plain', POLICY],
  ['404', 404, 'text/plain', POLICY],
  ['more than 64 KiB', 200, 'text/plain', 'x'.repeat(65_537)],
])('none: %s', async (_, status, type, body) => {
  const { port, asked } = await host((__, response) => {
    response.writeHead(status, { Location: '/elsewhere', ...(type === undefined ? {} : { 'Content-Type': type }) }).end(body);
  });
  expect(await get(port)).toEqual(FAILED);
  expect(asked).toHaveLength(1);
});

test('64 KiB are taken', async () => {
  const { port } = await host((_, response) => void response.writeHead(200, { 'Content-Type': 'text/plain' }).end('x'.repeat(65_536)));
  expect((await get(port)).text).toHaveLength(65_536);
});

test('none: it stops before it has all of it, or never ends', async () => {
  const short = await host((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': '1000' }).write('version');
    setImmediate(() => response.destroy());
  });
  expect(await get(short.port)).toEqual(FAILED);
  const slow = await host((_, response) => void response.writeHead(200, { 'Content-Type': 'text/plain' }).write('version'));
  expect(await get(slow.port, { timeout: 300 })).toEqual(FAILED);
  expect(await get(1)).toEqual(FAILED);
});

describe('the certificate', () => {
  const bad = (more: object): Made => certificate({ subject: NAME, names: [NAME], issuer: root, ...more });
  test.each([
    ['for another name', bad({ names: ['example.net', 'www.example.net'] })],
    ['with a common name alone', bad({ names: [] })],
    ['that has expired', bad({ days: -1 })],
    ['that nobody knows', certificate({ subject: NAME, names: [NAME] })],
  ])('%s: sts-webpki-invalid', async (_, made) => {
    const { port, asked } = await host(asPolicy, made);
    expect(await get(port)).toEqual({ text: null, problem: 'sts-webpki-invalid' });
    expect(asked).toEqual([]);
  });

  test('may have * as its first label', async () => {
    const { port } = await host(asPolicy, bad({ names: ['*.example.net'] }));
    expect(await get(port)).toEqual({ text: POLICY });
  });
});

test('no address that is nobody’s on the Internet is connected to, unless it is allowed', async () => {
  const { port, asked } = await host();
  expect(await get(port, { allow: [] })).toEqual(FAILED);
  expect(await get(port, { lookUp: found(['::ffff:127.0.0.1', '10.0.0.1']), allow: ['documentation'] })).toEqual(FAILED);
  expect(await get(port, { lookUp: found([]) })).toEqual(FAILED);
  expect(asked).toEqual([]);
  expect(await get(port, { lookUp: found(['10.255.255.1', '127.0.0.1']) })).toEqual({ text: POLICY });
});

test('a domain with U-labels has its A-labels asked; what is no domain is not asked for', async () => {
  const names: string[] = [];
  const lookUp: StsOptions['lookUp'] = async ({ name }) => {
    names.push(name);
    return { status: 'empty', security: 'insecure', ttl: 60 };
  };
  await get(1, { lookUp }, 'bücher.example');
  expect(await get(1, { lookUp }, 'a b')).toEqual(FAILED);
  expect([...new Set(names)]).toEqual(['mta-sts.xn--bcher-kva.example']);
});

test('without options for them no policies are fetched', async () => {
  expect(await outbound(OPTIONS).fetchPolicy({ type: 'policy', id: 1, domain: 'example.net' })).toEqual({ text: null });
});
