import { latin1, octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ANY_HEADER,
  addDate,
  addFrom,
  addMessageId,
  correctDate,
  type Edit,
  type EditNote,
  type Field,
  foldLines,
  HeaderReader,
  MessageEditor,
  received,
  removeBcc,
  removeReturnPath,
  returnPath,
  setSender,
  sign,
  signaturesOf,
} from '../src/index.ts';

const text = (bytes: Uint8Array): string => latin1(bytes, 0, bytes.length);

interface Edited {
  readonly output: string;
  readonly notes: readonly EditNote[];
  readonly refused: string | null;
}

/** A message edited in pieces of these sizes, the last one again and again. */
function edit(message: string, edits: readonly Edit[], sizes: readonly number[] = [Number.POSITIVE_INFINITY]): Edited {
  const editor = new MessageEditor(edits, { tolerate: ANY_HEADER });
  const bytes = octets(message);
  let output = '';
  let notes: readonly EditNote[] = [];
  let refused: string | null = null;
  const take = (): void => {
    for (let event = editor.next(); event !== null; event = editor.next()) {
      if (event.type === 'octets') output += text(event.bytes);
      else if (event.type === 'edited') notes = event.notes;
      else if (event.type === 'refused') refused = event.code;
    }
  };
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)]!;
    const chunk = bytes.slice(at, at + size);
    editor.push(chunk);
    take();
    chunk.fill(0x2a);
    at += size;
  }
  editor.end();
  take();
  return { output, notes, refused };
}

const ANN = { localPart: 'ann', domain: 'example.org', address: 'ann@example.org' };
const FACTS = { helo: 'a.example', address: '192.0.2.1', by: 'mx.example', protocol: 'ESMTP', date: 0 };
const ALL: readonly Edit[] = [
  removeBcc(),
  addDate({ date: 0 }),
  correctDate(),
  addMessageId('<1@example.org>'),
  foldLines(),
  foldLines(78),
  addFrom(ANN),
  setSender(ANN),
  sign(() => 'X-Signature: 1\r\n'),
  removeReturnPath(),
  returnPath(ANN),
  received(FACTS),
];

/** Pieces of which headers are made, odd ones too. */
const piece = fc.constantFrom(
  'Return-Path: <x@y>\r\n',
  'Received: from a by b; x\r\n',
  'Bcc: a@b\r\n',
  'Bcc : a@b,\r\n c@d\r\n',
  'Date: 21 Nov 1997 09:55:06\r\n',
  'Date: no\r\n',
  'Message-ID: <a@b>\r\n',
  'Message-Id: nonsense\r\n',
  'To: a@b\r\n',
  'From: b@c\r\n',
  'From: ann@example.org\r\n',
  'Sender: x@y\r\n',
  'Cc: a@b\n',
  `Subject: ${'word '.repeat(30)}\r\n`,
  `References: ${'word '.repeat(300)}\r\n\t${'x'.repeat(1000)} y\r\n`,
  'DKIM-Signature: v=1; d=example.org; s=k; h=From:To:Sender:Bcc:Date:Date; b=\r\n',
  'ARC-Message-Signature: i=1; d=example.org; s=k; h=return-path : message-id:subject\r\n',
  ' \r\n',
  ' x',
  'From ann\r\n',
  '\r\n',
  '\n',
  '\r',
  'text',
  '\0\xe9',
);
const messages = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));
const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 });

test('no edit changes no octet, whatever the pieces', () => {
  fc.assert(
    fc.property(messages, sizes, (message, cuts) => {
      expect(edit(message, [], cuts)).toEqual({ output: message, notes: [], refused: null });
    }),
    { numRuns: 2000 },
  );
});

test('any chunking of the same octets gives the same octets and the same notes', () => {
  fc.assert(
    fc.property(messages, fc.subarray([...ALL]), sizes, (message, edits, cuts) => {
      expect(edit(message, edits, cuts)).toEqual(edit(message, edits));
    }),
    { numRuns: 2000 },
  );
});

test('every octet that no note names is kept, in its order', () => {
  fc.assert(
    fc.property(messages, fc.subarray([...ALL]), (message, edits) => {
      const { output, notes } = edit(message, edits);
      const before = read(message);
      const after = read(output);
      const changed = new Set(notes.filter(({ refused }) => refused === null).map(({ offset }) => offset));
      const kept = before.fields.filter(({ offset }) => !changed.has(offset));
      // What is kept stands behind in its order; line ends may have been put behind the end of the message.
      let at = 0;
      for (const { raw } of kept) {
        const found = after.fields.findIndex((field, i) => i >= at && [raw, `${raw}\n`, `${raw}\r\n`].includes(field.raw));
        expect(found).toBeGreaterThanOrEqual(at);
        at = found + 1;
      }
      expect(after.body).toBe(before.body);
      expect([before.strays, `${before.strays}\r\n`, `${before.strays}\n`]).toContain(after.strays);
      const added = notes.filter(({ change, refused }) => change === 'added' && refused === null).length;
      const removed = notes.filter(({ change, refused }) => change === 'removed' && refused === null).length;
      expect(after.fields.length).toBe(before.fields.length + added - removed);
    }),
    { numRuns: 3000 },
  );
});

test('no signature that was there is broken but by trace, and by that it is told', () => {
  fc.assert(
    fc.property(messages, fc.subarray([...ALL]), (message, edits) => {
      const { output, notes } = edit(message, edits);
      const told = new Set(
        notes.filter(({ refused }) => refused === null).flatMap(({ signatures }) => signatures.map(({ field }) => whole(field))),
      );
      const before = signed(message);
      const after = signed(output);
      for (const [raw, octets] of before) if (!told.has(raw)) expect(after.get(raw)).toEqual(octets);
    }),
    { numRuns: 3000 },
  );
});

/** A message as it is read: the lines that are no fields, the fields, and the body. */
function read(message: string): {
  readonly strays: string;
  readonly fields: readonly { readonly raw: string; readonly offset: number }[];
  readonly body: string;
} {
  const reader = new HeaderReader({ tolerate: ANY_HEADER });
  reader.push(octets(message));
  reader.end();
  const fields: { raw: string; offset: number }[] = [];
  let strays = '';
  let body = '';
  for (let event = reader.next(); event !== null; event = reader.next()) {
    if (event.type === 'field') fields.push({ raw: text(event.field.raw), offset: event.field.offset });
    if (event.type === 'stray') strays += text(event.raw);
    if (event.type === 'body') body += text(event.bytes);
  }
  return { strays, fields, body };
}

/** A field without its last line end, which the end of a message may lack. */
function whole({ raw }: Field): string {
  return text(raw).replace(/\r?\n$/, '');
}

/** RFC 6376 5.4.2, read anew: for each signature the octets of what it signs; `null` for what it says is not there. */
function signed(message: string): ReadonlyMap<string, readonly (string | null)[]> {
  const editor = new MessageEditor([], { tolerate: ANY_HEADER });
  editor.push(octets(message));
  editor.end();
  const event = editor.next();
  if (event?.type !== 'edited') return new Map();
  const found = new Map<string, readonly (string | null)[]>();
  for (const { field, signs } of signaturesOf(event.fields)) {
    const covered: (string | null)[] = [];
    for (const [name, times] of signs) {
      const all = event.fields.filter((one) => one.name.toLowerCase() === name).reverse();
      for (let i = 0; i < times; i++) covered.push(all[i] === undefined ? null : whole(all[i]!));
    }
    found.set(whole(field), covered);
  }
  return found;
}

describe('what a program gives', () => {
  test.each(['', 'ann', 'ann@', 'a@b\r\nBcc: c@d'])('%j is no sender', (address) => {
    for (const edit of [setSender, addFrom]) expect(() => edit({ localPart: '', domain: '', address })).toThrow(RangeError);
  });

  test.each(['x', '<a>', '<a@b> x', '<a@b>\r\nBcc: c@d', ''])('%j is no message id', (id) => {
    expect(() => addMessageId(id)).toThrow(RangeError);
  });

  test.each(['X: 1', 'X: 1\r\nY: 2\r\n', 'X: 1\n', '', 'X : 1\r\n', 'X: a\rb\r\n'])('%j is no field', (field) => {
    expect(() => edit('A: 1\r\n\r\n', [sign(() => field)])).toThrow(RangeError);
  });

  test('facts with line ends in them make no other field', () => {
    expect(() => edit('A: 1\r\n\r\n', [received({ ...FACTS, id: 'x\r\nBcc: a@b' })])).toThrow(RangeError);
    expect(edit('A: 1\r\n\r\n', [received({ ...FACTS, comment: 'x\r\n(\u00e4' })]).output).toContain('\r\n\t(x??\\(?);\r\n');
  });
});

test('a hook that signs sees the fields as they are by then', () => {
  const seen: string[] = [];
  const { output } = edit('To: a@b\r\n\r\n', [
    addDate({ date: 0 }),
    sign((fields) => {
      seen.push(...fields.map(text));
      return 'DKIM-Signature: v=1;\r\n\tb=x\r\n';
    }),
    received(FACTS),
    sign(() => null),
  ]);
  expect(seen).toEqual(['To: a@b\r\n', 'Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n']);
  expect(output).toMatch(
    /^Received: .*\t\(Date added, DKIM-Signature added\);.*\r\nDKIM-Signature: v=1;\r\n\tb=x\r\nTo: a@b\r\nDate: .*\r\n\r\n$/s,
  );
});

test('a header beyond the limits is refused, and nothing of it comes out', () => {
  const editor = new MessageEditor([addDate({ date: 0 })], { limits: { fields: 1 } });
  editor.push(octets('A: 1\r\nB: 2\r\n\r\nx'));
  expect([editor.next(), editor.next()]).toEqual([expect.objectContaining({ type: 'refused', code: 'fields' }), null]);
});
