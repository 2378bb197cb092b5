// A server's engine without sockets, driven by lines of JSON: ours.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { conform, type Finding, type Protocol } from '../src/index.ts';
import { serverChecks, shimDialer } from '../src/node.ts';

const SHIM = `exec '${process.execPath}' '${fileURLToPath(new URL('../../../examples/conform-server-shim.mjs', import.meta.url))}'`;

test.each(['smtp', 'lmtp'] as const)(
  '%s: nothing is violated or inconclusive, and the time that a check waits passes at once',
  async (protocol: Protocol) => {
    const { dial, close } = shimDialer(SHIM, 60_000, protocol);
    const target = { dial, protocol, tls: 'none', to: ['ann@mx.example', 'bob@mx.example'], from: 'conform@client.example' } as const;
    const findings: Finding[] = [];
    const run = conform({ ...target, patience: 600_000, sessions: 3, slow: true, extensions: [], catalogue: serverChecks() });
    for await (const finding of run) findings.push(finding);
    close();
    const bad = findings.filter(({ verdict }) => verdict === 'violates' || verdict === 'inconclusive');
    expect(bad.map(({ id, because, dialogue }) => ({ id, because, dialogue }))).toEqual([]);
    expect(findings.filter(({ verdict }) => verdict !== 'skipped').length).toBeGreaterThan(findings.length / 2);
  },
);
