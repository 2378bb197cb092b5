// The first cases of every law, so that a law that is plainly broken is seen at once; laws.proof.ts has them all.
import { ClientSession, ServerSession } from '@ehlo/engine';
import { describe, test } from 'vitest';
import { CLIENT_LAWS } from './client/laws.ts';
import { LAWS } from './laws/laws.ts';

const FIRST = 60;

describe('a server session', () => {
  test.each(LAWS.map((law) => [law.name, law] as const))('law %s', (_, law) => law.check(ServerSession, FIRST));
});

describe('a client session', () => {
  test.each(CLIENT_LAWS.map((law) => [law.name, law] as const))('law %s', (_, law) => law.check(ClientSession, FIRST));
});
