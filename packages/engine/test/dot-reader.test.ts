import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DotReader } from '../src/server/dot-reader.ts';

const octets = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** The content and what is left, read chunk by chunk. */
function read(chunks: readonly string[], stopAtBare = false) {
  const reader = new DotReader();
  let content = '';
  let rest = '';
  for (const chunk of chunks) {
    const bytes = octets(chunk);
    const at = reader.ended ? 0 : reader.read(bytes, 0, bytes.length, stopAtBare);
    if (at > 0 || !reader.ended) content += String.fromCharCode(...reader.content);
    rest += chunk.slice(at);
    if (reader.bareCr + reader.bareLf > 0 && stopAtBare) break;
  }
  return { content, rest, ended: reader.ended, bareCr: reader.bareCr, bareLf: reader.bareLf };
}

/** RFC 5321 4.5.2, told by lines: the model that the reader must agree with. */
function model(wire: string) {
  let content = '';
  let at = 0;
  for (;;) {
    const end = wire.indexOf('\r\n', at);
    if (end < 0) return { content, rest: wire.slice(at), ended: false };
    const line = wire.slice(at, end);
    at = end + 2;
    if (line === '.') return { content, rest: wire.slice(at), ended: true };
    content += `${line.startsWith('.') ? line.slice(1) : line}\r\n`;
  }
}

test.each([
  ['.\r\n', '', ''],
  ['a\r\n.\r\nNOOP', 'a\r\n', 'NOOP'],
  ['..\r\n.\r\n', '.\r\n', ''],
  ['.a\r\n.\r\n', 'a\r\n', ''],
  ['x\r\r\n.\r\n', 'x\r\r\n', ''],
  ['.\r\r\n.\r\n', '\r\r\n', ''],
  ['.\rx\r\n.\r\n', '\rx\r\n', ''],
  ['...\r\n.\r\n', '..\r\n', ''],
])('%j holds %j', (wire, content, rest) => {
  for (let split = 0; split <= wire.length; split++) {
    expect(read([wire.slice(0, split), wire.slice(split)])).toMatchObject({ content, rest, ended: true });
  }
  expect(read([...wire])).toMatchObject({ content, rest, ended: true });
});

test('agrees with the model by lines on any wire and any chunking', () => {
  const piece = fc.constantFrom('.', '\r', '\n', '\r\n', 'a', '.\r\n', '\r\n.', 'abcdefgh', '\0', '\x7f', '\xff', '.'.repeat(40));
  fc.assert(
    fc.property(
      fc.array(
        fc.array(piece, { maxLength: 6 }).map((p) => p.join('')),
        { maxLength: 12 },
      ),
      (chunks) => {
        const expected = model(chunks.join(''));
        const got = read(chunks);
        expect(got.ended).toBe(expected.ended);
        if (expected.ended) expect(got).toMatchObject(expected);
        else expect(expected.content.length === 0 || got.content.startsWith(expected.content)).toBe(true);
      },
    ),
    { numRuns: 5000 },
  );
});

test('agrees with it where content is longer than its first block, and where long lines and short ones take turns', () => {
  const length = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 6000 }));
  const line = fc.tuple(fc.constantFrom('', '.', '..'), length, fc.constantFrom('', '\r', 'x')).map(([dots, n, tail]) => {
    const text = Array.from({ length: n }, (_, i) => String.fromCharCode(97 + (i % 26))).join('');
    return `${dots}${text}${tail}\r\n`;
  });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), fc.nat(), (lines, cut) => {
      const wire = `${lines.join('')}.\r\nNOOP`;
      const at = cut % wire.length;
      const expected = model(wire);
      expect(read([wire])).toMatchObject(expected);
      expect(read([wire.slice(0, at), wire.slice(at)])).toMatchObject({ content: expected.content, ended: true });
    }),
    { numRuns: 300 },
  );
});

test('a CR that a dot has held back finds room wherever its block ends', () => {
  for (let length = 4080; length < 4110; length++) {
    const chunks = ['a\r\n.\r', `${'x'.repeat(length)}\r\n.\rY\r\n`, '.\r\n'];
    expect(read(chunks)).toMatchObject(model(chunks.join('')));
  }
});

test('stops before the octet that makes a CR or LF a bare one, whatever the chunking', () => {
  const piece = fc.constantFrom('.', '\r', '\n', '\r\n', 'a', '.\r\n', '\r\n.');
  fc.assert(
    fc.property(
      fc.array(
        fc.array(piece, { maxLength: 4 }).map((p) => p.join('')),
        { maxLength: 8 },
      ),
      (chunks) => {
        const whole = read([chunks.join('')], true);
        const split = read(chunks, true);
        expect(split.content).toBe(whole.content);
        expect([split.bareCr, split.bareLf, split.ended]).toEqual([whole.bareCr, whole.bareLf, whole.ended]);
      },
    ),
    { numRuns: 5000 },
  );
});

test('the line of the first bare CR and LF is known', () => {
  expect(read(['a\r\nb\rc\r\nd\ne\r\n.\r\n'])).toMatchObject({ bareCr: 2, bareLf: 3 });
});

test('a short message in a long chunk takes a short block', () => {
  const reader = new DotReader();
  const chunk = octets(`x\r\n..a\r\n.\r\n${'NOOP\r\n'.repeat(50_000)}`);
  expect(reader.read(chunk, 0, chunk.length, true)).toBe(11);
  expect(String.fromCharCode(...reader.content)).toBe('x\r\n.a\r\n');
  expect(reader.content.buffer.byteLength).toBeLessThanOrEqual(4096);
});
