import { latin1, octets } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import { ServerSession } from '../src/index.ts';

const OPTIONS = { hostname: 'mx.example.org', preset: 'sink', ask: ['message'] } as const;

/** A session whose program was given the first content of a message at the time 1000, and has not come back for more. */
function busy(begin = 'DATA\r\n', content = 'x\r\n') {
  const session = new ServerSession(OPTIONS);
  const pull = (): string => {
    while (session.nextEvent() !== null);
    const wire = session.nextOutput();
    return wire === null ? '' : latin1(wire, 0, wire.length);
  };
  session.tick(0);
  pull();
  session.receive(octets(`EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n${begin}`));
  pull();
  session.tick(1000);
  session.receive(octets(content));
  expect(session.nextEvent()?.type).toBe('chunk');
  session.nextOutput();
  return { session, pull };
}

describe('while the program is busy with content', () => {
  test.each([
    ['in the middle of data', 'DATA\r\n', 'x\r\n', 300_000],
    ['between two chunks', '', 'BDAT 3\r\nx\r\n', 300_000],
  ])("the client's time does not run: %s", (_, begin, content, limit) => {
    const { session, pull } = busy(begin, content);
    session.tick(400_000);
    expect(session.phase).not.toBe('closed');
    pull();
    // A block that is not whole restarts no timer, so what was left before is left still.
    const left = begin === '' ? limit : limit - 1000;
    expect(session.deadline).toBe(400_000 + left);
    session.tick(400_000 + left);
    expect(pull()).toMatch(/421 4\.4\.2 mx\.example\.org Timeout/);
  });

  test("its own time runs, and is not the client's fault", () => {
    const { session } = busy();
    expect(session.deadline).toBe(541_000);
    session.tick(541_000);
    const events = [];
    for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) events.push(event);
    expect(events).toEqual([
      { type: 'aborted', cause: 'timeout' },
      { type: 'closed', cause: 'timeout', limit: 'messageAnswer' },
    ]);
    const wire = session.nextOutput()!;
    expect(latin1(wire, 0, wire.length)).toBe('421 4.3.2 mx.example.org Service not available, closing transmission channel\r\n');
  });

  test('a snapshot knows of it', () => {
    const { session } = busy();
    session.tick(300_000);
    const restored = ServerSession.restore(OPTIONS, structuredClone(session.snapshot()), 0);
    expect(restored.deadline).toBe(241_000);
    restored.nextEvent();
    expect(restored.deadline).toBe(299_000);
  });
});
