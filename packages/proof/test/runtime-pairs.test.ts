// A client in one runtime, a server in another: all pairs, in clear and under TLS; and how a connection fails in each.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { SECURITY } from './runtimes/client.ts';
import { RUNTIMES, type Runtime, Subject } from './runtimes/subject.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const NAMES = Object.keys(RUNTIMES) as Runtime[];
/** 64 KiB each. */
const PARTS = 128;
const subjects = {} as Record<Runtime, Subject>;

beforeAll(async () => {
  for (const name of NAMES) subjects[name] = await Subject.start(name);
});
afterAll(() => Promise.all(NAMES.map((name) => subjects[name].stop())));

interface Sent {
  readonly outcomes: readonly { readonly status: string; readonly reply: { readonly code: number; readonly lines: readonly string[] } }[];
  readonly error: unknown;
  readonly secure: string | null;
  readonly authenticated: string | null;
  readonly said: string;
}

describe.each(NAMES)('a client in %s', (client) => {
  describe.each(NAMES)('a server in %s', (server) => {
    test.each(SECURITY)('%s: every octet arrives', async (security) => {
      const to = subjects[server];
      await to.idle();
      const port = security === 'TLS from the start' ? to.tlsPort : to.port;
      const sent = (await subjects[client].ask('send', { port, security, parts: PARTS })) as Sent;
      expect(sent).toMatchObject({
        outcomes: [{ status: 'accepted', reply: { code: 250 } }],
        error: null,
        secure: security === 'in clear' ? null : 'TLSv1.3',
      });
      expect(JSON.stringify(sent.outcomes[0]?.reply)).toContain(sent.said);
      expect(await to.event('closed')).toMatchObject({ cause: 'quit' });
    });

    test.each(['STARTTLS', 'TLS from the start'])(
      'AUTH under %s: who knows the password is known, who does not is not',
      async (security) => {
        const to = subjects[server];
        await to.idle();
        const how = { port: security === 'STARTTLS' ? to.port : to.tlsPort, security, parts: 1 };
        const sent = (await subjects[client].ask('send', { ...how, password: 'pencil' })) as Sent;
        // The binding that both ends have: where one has none there is a mechanism without.
        const bound = client === 'deno' || server === 'deno' ? /^SCRAM-SHA-256(-PLUS)?$/ : /^SCRAM-SHA-256-PLUS$/;
        expect(sent.authenticated).toMatch(bound);
        expect(await to.event('message')).toMatchObject({ identity: 'joe' });
        const failed = (await subjects[client].ask('send', { ...how, password: 'wrong' })) as { failed: string };
        expect(failed.failed).toMatch(/^ClientError: /);
      },
    );
  });

  test('whom nobody hears, whom nobody knows, and who must not be trusted: each is told by its code', async () => {
    const { port, tlsPort } = subjects.node;
    const fail = async (how: object): Promise<unknown> => await subjects[client].ask('fail', how);
    const named = { name: 'ClientError' };
    expect(await fail({ port: 1 })).toMatchObject({ ...named, code: 'no-connection', message: 'nobody listens on 127.0.0.1:1' });
    expect(await fail({ port, host: 'no.such.invalid' })).toMatchObject({ ...named, code: 'no-connection' });
    expect(await fail({ path: '/no/such/socket' })).toMatchObject({
      ...named,
      code: 'no-connection',
      message: 'there is no socket /no/such/socket',
    });
    expect(await fail({ port: tlsPort, implicitTls: true })).toMatchObject({ ...named, code: 'certificate' });
    expect(await fail({ port, starttls: 'required' })).toMatchObject({ ...named, code: 'certificate' });
    expect(await fail({ port, implicitTls: true })).toMatchObject({ ...named, code: expect.stringMatching(/speaks-cleartext|tls-failed/) });
  });

  test.runIf(client !== 'node')('a local address can not be chosen: that is said at once', async () => {
    expect(await subjects[client].ask('fail', { port: subjects.node.port, localAddress: '127.0.0.1' })).toMatchObject({
      name: 'SmtpUsageError',
    });
  });
});
