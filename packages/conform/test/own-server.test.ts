// What the checks say of a server of ours.
import { reject, type Server, serve } from '@ehlo/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conform, type Finding, type Protocol } from '../src/index.ts';
import { dialer, serverChecks } from '../src/node.ts';

const PRESETS = { smtp: 'mx', lmtp: 'lmtp' } as const;
const MAILBOXES = new Set(['ann', 'bob', 'postmaster']);

describe.each(['smtp', 'lmtp'] as const)('%s', (protocol) => {
  let server: Server;
  let findings: readonly Finding[];

  beforeAll(async () => {
    server = await serve(
      { port: 0, hostname: 'mx.example', preset: PRESETS[protocol] },
      {
        rcpt: ({ forwardPath }) => MAILBOXES.has(forwardPath.localPart.toLowerCase()) || reject(550, '5.1.1', 'No such user'),
        async message({ envelope, body }) {
          for await (const _ of body);
          return protocol === 'lmtp' ? envelope.recipients.map(() => true) : true;
        },
      },
    );
    findings = await examine(server.address.port, protocol);
  });
  afterAll(() => server.close());

  test('nothing is violated or inconclusive', () => {
    const of = (verdict: Finding['verdict']) => findings.filter((finding) => finding.verdict === verdict).map(({ id }) => id);
    expect(of('inconclusive')).toEqual([]);
    expect(of('violates')).toEqual([]);
  });

  test('most of it is run', () => {
    const run = findings.filter(({ verdict }) => verdict !== 'skipped');
    expect(run.length).toBeGreaterThan(findings.length / 2);
  });

  test('several sessions at a time find the same, in the same order', async () => {
    let [open, most] = [0, 0];
    const some = await examine(server.address.port, protocol, { only: ['5321-4.1.4'], sessions: 4 }, (change) => {
      open += change;
      most = Math.max(most, open);
    });
    const ids = new Set(some.map(({ id }) => id));
    const verdicts = (all: readonly Finding[]) => all.map(({ id, verdict }) => `${id} ${verdict}`);
    expect(verdicts(some)).toEqual(verdicts(findings.filter(({ id }) => ids.has(id))));
    expect(most).toBe(4);
    expect(open).toBe(0);
  });
});

/** `count` is told of each session that begins, and of each that ends. */
async function examine(
  port: number,
  protocol: Protocol,
  more: { readonly only?: readonly string[]; readonly sessions?: number } = {},
  count: (change: 1 | -1) => void = () => {},
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const options = { protocol, tls: 'none', to: ['ann@mx.example', 'bob@mx.example'], from: 'conform@client.example' } as const;
  const open = dialer({ host: '127.0.0.1', port, implicit: false, insecure: false });
  const dial = async () => {
    const wire = await open();
    count(1);
    const reset = wire.reset.bind(wire);
    let isOpen = true;
    wire.reset = () => {
      if (isOpen) count(-1);
      isOpen = false;
      reset();
    };
    return wire;
  };
  const run = conform({ ...options, ...more, dial, patience: 30_000, slow: false, extensions: [], catalogue: serverChecks() });
  for await (const finding of run) findings.push(finding);
  return findings;
}
