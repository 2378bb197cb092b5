// Proof that the laws can fail: each planted bug breaks the law that stands against it.
import { ServerSession } from '@ehlo/engine';
import { latin1, octets } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import type { SessionClass } from '../src/laws/record.ts';
import { LAWS } from './laws/laws.ts';
import { plant } from './planted/build.ts';
import { MUTANTS } from './planted/mutants.ts';

/** Cases of a law that has to fail. */
const FEW = 200;

/** Line by line, as the most patient of clients. */
function greet(Session: SessionClass): string {
  const session = new Session({ hostname: 'mx.example.org', preset: 'sink' });
  let codes = '';
  for (const line of ['', 'EHLO c.example\r\n', 'NOOP\r\n', 'QUIT\r\n']) {
    session.receive(octets(line));
    while (session.nextEvent() !== null);
    const bytes = session.nextOutput() ?? new Uint8Array();
    codes += `${latin1(bytes, 0, 3)} `;
  }
  return codes;
}

describe('a bug planted in the engine', () => {
  test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s', async (_, mutant) => {
    const law = LAWS.find(({ name }) => name === mutant.law)!;
    const Mutant = await plant(mutant);
    // It is a bug, not a wreck.
    expect(greet(Mutant)).toBe(greet(ServerSession));
    expect(() => law.check(Mutant, mutant.cases ?? FEW), `law ${mutant.law}`).toThrow();
  });
});

test('every law can fail', () => {
  const broken = new Set(MUTANTS.map(({ law }) => law));
  expect(LAWS.map(({ name }) => name).filter((name) => !broken.has(name))).toEqual([]);
});

test('no bug is planted twice', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});
