// The laws of the engine, each held by properties that any class of sessions can be put to: all of their cases.
import { ClientSession, ServerSession } from '@ehlo/engine';
import { describe, test } from 'vitest';
import { CLIENT_LAWS } from './client/laws.ts';
import { CASES } from './laws/law.ts';
import { LAWS } from './laws/laws.ts';

describe('a server session', () => {
  test.each(LAWS.map((law) => [law.name, law] as const))('law %s', (_, law) => law.check(ServerSession, CASES));
});

describe('a client session', () => {
  test.each(CLIENT_LAWS.map((law) => [law.name, law] as const))('law %s', (_, law) => law.check(ClientSession, CASES));
});
