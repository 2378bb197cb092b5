// The laws of the engine, each held by properties that any class of sessions can be put to.
import { ServerSession } from '@ehlo/engine';
import { describe, test } from 'vitest';
import { CASES } from './laws/law.ts';
import { LAWS } from './laws/laws.ts';

describe('a server session', () => {
  test.each(LAWS.map((law) => [law.name, law] as const))('law %s', (_, law) => law.check(ServerSession, CASES), 60_000);
});
