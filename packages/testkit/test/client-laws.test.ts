// The laws of the client, each held by properties that any class of client sessions can be put to.
import { ClientSession } from '@ehlo/engine';
import { describe, test } from 'vitest';
import { CLIENT_LAWS } from './client/laws.ts';
import { CASES } from './laws/law.ts';

describe('a client session', () => {
  test.each(CLIENT_LAWS.map((law) => [law.name, law] as const))('law %s', (_, law) => law.check(ClientSession, CASES), 120_000);
});
