// The state space in short: one setup, and for each law a change of the engine that breaks it.
import { type ServerOptions, ServerSession, TIMERS } from '@ehlo/engine';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Outbox } from '../../engine/src/server/outbox.ts';
import { type Step, stepsOf } from '../../engine/src/server/program.ts';
import type { Phase, Row } from '../../engine/src/server/row.ts';
import { SPACE_LAWS } from '../src/space/laws.ts';
import { SETUPS } from '../src/space/setups.ts';
import { walk } from '../src/space/walk.ts';
import { put } from './mutants/put.ts';
import { walked } from './space.ts';

/** Few states: nothing is asked but what has to be. */
const SMALL: ServerOptions = { hostname: 'mx.example.org', ask: ['rcpt', 'message'], extensions: [], limits: { faults: 2 } };

/** More than it has. */
const MOST = 2000;

const undo: (() => void)[] = [];
const plant = (values: Parameters<typeof put<Row>>[1], phase: Phase, on: Row['on'], at = 0): void => {
  undo.push(put(stepsOf(phase).get(on)![at]!.row, values));
};

const PLANTED: { readonly [law: string]: () => unknown } = {
  'field-44: no recipients without a sender': () => plant({ to: 'rcpt' }, 'rcpt', 'RSET'),
  'field-44: what is refused changes nothing': () => {
    const steps = stepsOf('mail').get('rejected')!;
    undo.push(put<Step>(steps.at(-1)!, { effect: () => ({ facts: { hello: null } }) }));
    plant({ reply: 'noRecipients' }, 'mail', 'rejected', 1);
  },
  'field-45: each command gets one final reply': () => plant({ reply: null }, 'ready', 'NOOP'),
  'field-46: nothing is said or told behind the end': () =>
    vi.spyOn(Outbox.prototype, 'told').mockImplementation(() => [{ type: 'closed', cause: 'quit' }]),
  'field-47: who speaks another protocol gets one reply, and is cut off': () => plant({ to: 'greeted' }, 'greeted', 'other-protocol'),
  'field-48: a budget of errors ends the session with 421': () => plant({ to: 'ready' }, 'ready', 'fault'),
  'an answer that was asked for has its effect': () => vi.spyOn(ServerSession.prototype, 'reject').mockImplementation(() => false),
  'a session that is not over waits for something with an end': () => undo.push(put(TIMERS as { ready: unknown }, { ready: null })),
  'a session sleeps and wakes as it was': () => {
    const { snapshot } = ServerSession.prototype;
    let calls = 0;
    vi.spyOn(ServerSession.prototype, 'snapshot').mockImplementation(function (this: ServerSession) {
      const known = snapshot.call(this);
      return ++calls % 2 === 0 ? { ...known, phase: 'greeted' } : known;
    });
  },
};

afterEach(() => {
  vi.restoreAllMocks();
  for (const one of undo.splice(0)) one();
});

test('LMTP: the laws hold on every edge, and silence ends every state', () => {
  const { broken, endless } = walked(SETUPS.lmtp!);
  expect({ broken, endless }).toEqual({ broken: {}, endless: [] });
});

/** A breach ends the walk. */
class Breach extends Error {}

describe('what is planted breaks its law', () => {
  test('there is something against each', () => expect(Object.keys(PLANTED)).toEqual(Object.keys(SPACE_LAWS)));

  test.each(Object.entries(PLANTED))('%s', (law, bug) => {
    bug();
    const walking = () =>
      walk(
        SMALL,
        (edge) => {
          const breach = SPACE_LAWS[law]!(edge, SMALL);
          if (breach !== null) throw new Breach(breach);
        },
        MOST,
      );
    expect(walking).toThrow(Breach);
  });
});

test('a state that silence does not end is told', () => {
  undo.push(put(TIMERS as { ready: unknown }, { ready: null }));
  expect(walked(SMALL, MOST).endless.length).toBeGreaterThan(0);
});
