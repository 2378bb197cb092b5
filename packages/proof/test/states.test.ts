// test-vectors/states.json is what the engine does: from it, the truth of the guards and what the program says each row, code, phase and change is
// predicted.
import { type Phase, PRESETS, ServerSession, TABLE } from '@ehlo/engine';
import { octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { type JsonSchema, replayTranscript, violations } from '../src/vectors/index.ts';
import { extensionOf } from '../src/vectors/own-extension.ts';
import { scenario, sizes, talk } from './laws/scripts.ts';
import { server } from './states/server.ts';
import { Watch } from './states/watch.ts';
import { read, transcripts } from './vectors.ts';

/** A proxy that tells of its client, and then begins anew. */
function proxied(last: string): void {
  const hop = extensionOf({ keyword: 'XHOP', spec: 'ours', words: [], parameters: [], verbs: [] });
  const extensions = [...PRESETS.sink.extensions, hop];
  const session = new ServerSession({
    hostname: 'mx.example.org',
    preset: 'sink',
    extensions,
    starttls: 'offered',
    trust: ['XCLIENT', 'XFORWARD'],
  });
  for (const line of ['EHLO c.example', 'XFORWARD NAME=a.example', 'XFORWARD NAME=a.example', last]) {
    session.receive(octets(`${line}\r\n`));
    while (session.nextEvent() !== null);
  }
  if (session.wants === 'tls') session.secured({ protocol: 'TLSv1.3', cipher: '', servername: '' });
}

/** A message in chunks that is refused by a reply that is held back: the first chunk has the delay, and a chunk of nothing changes nothing. */
function heldBack(): void {
  const session = new ServerSession({ hostname: 'mx.example.org', preset: 'sink', ask: ['data'] });
  const lines = ['EHLO c.example', 'MAIL FROM:<a@c.example>', 'RCPT TO:<b@d.example>', 'BDAT 0', 'BDAT 0', 'BDAT 0'];
  session.receive(octets(lines.map((line) => `${line}\r\n`).join('')));
  session.tick(0);
  for (let event = session.nextEvent(); event !== null; event = session.nextEvent())
    if (event.type === 'data') session.reject(event, { code: 550, text: 'no', delay: 7 });
  session.tick(session.deadline);
  while (session.nextEvent() !== null);
}

afterEach(() => vi.restoreAllMocks());

test('states.json keeps to its schema', () => {
  expect(violations(read('states.json') as never, read('schema/states.schema.json') as JsonSchema)).toEqual([]);
});

test('states.json has the rows of the engine, and words for all that they name', () => {
  expect(server.rows).toEqual(JSON.parse(JSON.stringify(TABLE)));
  const names = (lists: readonly (readonly string[])[]): string[] => [...new Set(lists.flat())].sort();
  const guards = names(server.rows.flatMap(({ guards = [], checks = [], when = [] }) => [guards, checks, when]));
  expect(Object.keys(server.guards).sort()).toEqual(guards);
  expect(Object.keys(server.effects).sort()).toEqual(names(server.rows.map(({ effect }) => (effect === undefined ? [] : [effect]))));
  expect(Object.keys(server.phases).sort()).toEqual(names([['closed' satisfies Phase], ...server.rows.map(({ from }) => from)]));
});

test('in random dialogues and in the vectors every row, code, phase and change is as states.json says', () => {
  const watch = new Watch();
  for (const { transcript } of transcripts) replayTranscript(transcript);
  for (const last of ['STARTTLS', 'XCLIENT NAME=d.example']) proxied(last);
  heldBack();
  fc.assert(
    fc.property(scenario, sizes, (value, cuts) => void talk(ServerSession, value, cuts)),
    { numRuns: 150, seed: 20_260_101 },
  );
  const unread = Object.entries(server.guards).map(([name, { reads }]) => [
    name,
    [...reads].sort(),
    [...(watch.read.get(name) ?? [])].sort(),
  ]);
  expect(unread.filter(([, said, read]) => JSON.stringify(said) !== JSON.stringify(read))).toEqual([]);
  // Each change that is told has been seen, and what is told to be sometimes was not seen each time.
  const { changed } = watch;
  const effects = Object.entries(server.effects);
  const reading = server.reading.flatMap(({ what, changes }) => changed.never(what, changes).map((change) => [what, change]));
  expect([
    ...effects.flatMap(([name, { changes, sometimes }]) => changed.never(name, [...changes, ...sometimes]).map((change) => [name, change])),
    ...reading,
  ]).toEqual([]);
  expect(effects.flatMap(([name, { sometimes }]) => changed.always(name, sometimes).map((change) => [name, change]))).toEqual([]);
});
