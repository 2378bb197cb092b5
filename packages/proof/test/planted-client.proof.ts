// Proof that the client's laws can fail: each planted bug breaks the law that stands against it.
import { ClientSession } from '@ehlo/engine';
import { describe, expect, test } from 'vitest';
import { type ClientClass, play } from '../src/index.ts';
import { CLIENT_LAWS } from './client/laws.ts';
import { CLIENT_BUGS } from './planted/bugs-client.ts';
import { plantClient } from './planted/build.ts';

/** Cases of a law that has to fail. */
const FEW = 200;

/** A session in which nothing happens but hello and goodbye. */
const hello = (Client: ClientClass): string =>
  play({ Client, client: { hostname: 'client.example.org' }, errand: { jobs: [] }, script: {} }).clear;

describe('a bug planted in the client', () => {
  test.each(CLIENT_BUGS.map((mutant) => [mutant.name, mutant] as const))('%s', async (_, mutant) => {
    const law = CLIENT_LAWS.find(({ name }) => name === mutant.law)!;
    const Mutant = await plantClient(mutant);
    // It is a bug, not a wreck.
    expect(hello(Mutant)).toBe(hello(ClientSession));
    expect(() => law.check(Mutant, mutant.cases ?? FEW), `law ${mutant.law}`).toThrow();
  });
});

test('no bug is planted twice', () => {
  expect(new Set(CLIENT_BUGS.map(({ name }) => name)).size).toBe(CLIENT_BUGS.length);
});
