import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cramMd5, login, oauthBearer, plain, scram, xoauth2 } from '@ehlo/sasl';
import { type CertificateKind, type TestServer, type TestServerOptions, testServerOn } from '@ehlo/testing';
import { listen, ServerTls } from '#adapter';
import { selfSigned } from './self-signed.ts';

export * from '@ehlo/testing';

const LOOPBACK = '127.0.0.1';

/**
 * Starts a mail server for one test, on a free port of this machine. It takes everything, and any credentials; what it is to fail at, and how,
 * is said by `mx.on`.
 *
 * @example
 * ```ts
 * import { testServer } from 'ehlo/testing';
 * const mx = await testServer();
 * mx.on.rcpt('full@example.org').reply(452, '4.2.2', 'Mailbox full').times(1);
 * await mx.close();
 * ```
 */
export const testServer: (options?: TestServerOptions) => Promise<TestServer> = testServerOn({
  shown: [plain(), login(), oauthBearer(), xoauth2()],
  known: [scram(), cramMd5()].flat(),
  listen: async ({ host, port, names }) => {
    if (names === null) return { listener: await listen({ host, port }), ca: '' };
    const certificates: { readonly [kind in CertificateKind]: ReturnType<typeof selfSigned> } = {
      good: selfSigned(names, LOOPBACK),
      expired: selfSigned(names, LOOPBACK, -1),
      'wrong-name': selfSigned(['other.example.test'], '192.0.2.1'),
      'unknown-issuer': selfSigned(names, LOOPBACK),
    };
    const tls = new ServerTls(certificates.good);
    return {
      listener: await listen({ host, port, tls }),
      // What is wrong with the others is wrong though they are known.
      ca: [certificates.good, certificates.expired, certificates['wrong-name']].map(({ cert }) => cert).join(''),
      certificate: (kind) => tls.update(certificates[kind]),
    };
  },
  file: (content) => {
    const path = join(mkdtempSync(join(tmpdir(), 'ehlo-testing-')), 'ca.pem');
    writeFileSync(path, content);
    return { path, remove: () => rmSync(dirname(path), { recursive: true, force: true }) };
  },
});
