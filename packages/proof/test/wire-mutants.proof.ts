// Each check of the wire catches a server of which one reply is another: changed in turn are all replies of its dialogue.
import { PRESETS, type ServerOptions } from '@ehlo/engine';
import { describe, expect, test } from 'vitest';
import { type Catalogue, type Check, type ConformOptions, conform, type Finding, type Protocol } from '../../conform/src/index.ts';
import { serverChecks } from '../../conform/src/node.ts';
import { MutantWire, type WireMutant } from './wire/mutant-server.ts';
import { WIRE_MUTANTS } from './wire/wire-mutants.ts';

const catalogue: Catalogue = serverChecks();

const SERVERS: { readonly [protocol in Exclude<Protocol, 'submission'>]: ServerOptions } = {
  smtp: {
    hostname: 'mx.example',
    preset: 'mx',
    ask: ['rcpt', 'message'],
    extensions: [...PRESETS.mx.extensions, 'BINARYMIME', 'SMTPUTF8', 'DSN'],
  },
  lmtp: { hostname: 'mx.example', preset: 'lmtp', ask: ['rcpt', 'message'] },
};

async function found(
  protocol: keyof typeof SERVERS,
  check: Check,
  at = -1,
  mutant: WireMutant | null = null,
): Promise<{ readonly finding: Finding; readonly replies: number }> {
  // The first connection only looks at what is offered.
  const wires: MutantWire[] = [];
  const dial: ConformOptions['dial'] = () => {
    wires.push(wires.length === 0 ? new MutantWire(SERVERS[protocol]) : new MutantWire(SERVERS[protocol], at, mutant));
    return Promise.resolve(wires.at(-1)!);
  };
  const options = {
    protocol,
    tls: 'none',
    to: ['ann@mx.example', 'bob@mx.example'],
    from: 'conform@client.example',
    dial,
    patience: 1,
    slow: false,
    extensions: [],
  } as const;
  let finding: Finding | null = null;
  for await (const one of conform({ ...options, only: [check.id], catalogue })) if (one.id === check.id) finding = one;
  return { finding: finding!, replies: wires.at(-1)!.replies };
}

/** What a check is about stands at the end of its dialogue: the last reply is changed first. */
async function isCaught(protocol: keyof typeof SERVERS, check: Check, replies: number): Promise<boolean> {
  for (let at = replies - 1; at >= 0; at--)
    for (const mutant of WIRE_MUTANTS) if ((await found(protocol, check, at, mutant)).finding.verdict === 'violates') return true;
  return false;
}

describe.each(['smtp', 'lmtp'] as const)('%s', (protocol) => {
  const checks = catalogue.checks.filter((check) => check.for.includes(protocol));

  test('every check that is run catches a mutant, and no sound server', { timeout: 600_000 }, async () => {
    const [unsound, uncaught]: [string[], string[]] = [[], []];
    let run = 0;
    for (const check of checks) {
      const { finding, replies } = await found(protocol, check);
      if (finding.verdict === 'skipped') continue;
      run++;
      if (!['conforms', 'permitted'].includes(finding.verdict)) unsound.push(check.id);
      else if (!(await isCaught(protocol, check, replies))) uncaught.push(check.id);
    }
    expect(run).toBeGreaterThan(checks.length / 2);
    expect({ unsound, uncaught }).toEqual({ unsound: [], uncaught: [] });
  });
});
