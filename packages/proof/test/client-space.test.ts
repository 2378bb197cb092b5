// The state space of the client in short: one setup, and for each law a change of the engine that breaks it.
import { ClientSession } from '@ehlo/engine';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ClientCore } from '../../engine/src/client/core.ts';
import { sayQuit } from '../../engine/src/client/effects.ts';
import { SESSION_ROWS } from '../../engine/src/client/table.ts';
import { Transaction } from '../../engine/src/client/transaction.ts';
import { TRANSACTION_ROWS } from '../../engine/src/client/transaction-table.ts';
import { CLIENT_SPACE_LAWS } from '../src/client-space/laws.ts';
import { CLIENT_SETUPS } from '../src/client-space/setups.ts';
import { walkClient } from '../src/client-space/walk.ts';
import { walkedClient } from './client-space.ts';
import { put } from './mutants/put.ts';

const undo: (() => void)[] = [];

const PLANTED: { readonly [law: string]: () => unknown } = {
  'each recipient has one outcome, and none is left at the end': () =>
    vi.spyOn(Transaction.prototype, 'settle').mockImplementation(() => {}),
  'accepted is what 2yz to the end of a message says, and nothing else': () =>
    undo.push(put(TRANSACTION_ROWS['END refused']!.at(-1)!, { effects: TRANSACTION_ROWS.END!.at(-1)!.effects! })),
  'whose message may have arrived is not told to be unsent': () =>
    vi.spyOn(Transaction.prototype, 'end').mockImplementation(function (this: Transaction, stage, cause, reply) {
      this.settle({ status: 'unsent', stage, cause, reply });
    }),
  'without PIPELINING a command waits for the reply to the one before': () =>
    vi.spyOn(ClientCore.prototype, 'hasRoom').mockImplementation(() => true),
  'TLS is followed by LHLO, EHLO or QUIT, and nothing is kept': () =>
    undo.push(put(SESSION_ROWS.secured!.at(-1)!, { effects: SESSION_ROWS.secured!.at(-1)!.effects!.slice(1) })),
  'behind QUIT nothing is said': () => undo.push(put(SESSION_ROWS.QUIT![0]!, { close: null, effects: [sayQuit] })),
  'a call that is not for now changes nothing': () =>
    vi.spyOn(ClientSession.prototype, 'cancel').mockImplementation(function (this: ClientSession) {
      this.quit();
      return false;
    }),
  'nothing is said or told behind the end': () => vi.spyOn(ClientSession.prototype, 'wants', 'get').mockReturnValue('input'),
  'what is awaited of the server has an end': () =>
    vi.spyOn(ClientSession.prototype, 'deadline', 'get').mockReturnValue(Number.POSITIVE_INFINITY),
};

afterEach(() => {
  vi.restoreAllMocks();
  for (const one of undo.splice(0)) one();
});

test('where TLS is required and not offered: the laws hold on every edge, and silence leads out of every state', () => {
  const { broken, endless, states } = walkedClient(CLIENT_SETUPS.required!);
  expect({ broken, endless }).toEqual({ broken: {}, endless: [] });
  expect(states).toBeGreaterThan(5);
});

/** A breach ends the walk. */
class Breach extends Error {}

describe('what is planted breaks its law', () => {
  test('there is something against each', () => expect(Object.keys(PLANTED)).toEqual(Object.keys(CLIENT_SPACE_LAWS)));

  test.each(Object.entries(PLANTED))('%s', (law, bug) => {
    bug();
    const setup = CLIENT_SETUPS.plain!;
    const walk = () =>
      walkClient(setup, (edge) => {
        const breach = CLIENT_SPACE_LAWS[law]!(edge, setup);
        if (breach !== null) throw new Breach(breach);
      });
    expect(walk).toThrow(Breach);
  });
});

test('a state that silence does not lead out of is told', () => {
  const { tick } = ClientSession.prototype;
  vi.spyOn(ClientSession.prototype, 'tick').mockImplementation(function (this: ClientSession) {
    tick.call(this, 0);
  });
  expect(walkedClient(CLIENT_SETUPS.required!).endless.length).toBeGreaterThan(0);
});
