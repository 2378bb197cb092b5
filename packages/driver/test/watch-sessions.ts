// Every session that the driver makes in these tests is watched: what breaks the law of driving throws. Octets that a transport has handed in are
// the session's for good (transport.ts).
import { vi } from 'vitest';

vi.mock('@ehlo/engine', async (original) => {
  const engine = await original<typeof import('@ehlo/engine')>();
  const watching = <C extends new (...args: never[]) => InstanceType<typeof engine.ServerSession | typeof engine.ClientSession>>(
    type: C,
  ): C =>
    new Proxy(type, { construct: (target, args, made) => engine.watched(Reflect.construct(target, args, made), { keepsChunks: true }) });
  return { ...engine, ServerSession: watching(engine.ServerSession as never), ClientSession: watching(engine.ClientSession as never) };
});
