import { readFileSync } from 'node:fs';
import { latin1, octets, parseMailbox } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import {
  ANY_HEADER,
  addDate,
  addFrom,
  addMessageId,
  correctDate,
  type Edit,
  type EditNote,
  foldLines,
  MessageEditor,
  received,
  removeBcc,
  removeReturnPath,
  returnPath,
  setSender,
  sign,
} from '../src/index.ts';

type Asked = { readonly edit: string; readonly date?: string; readonly offset?: number; readonly longest?: number } & {
  readonly [name: string]: string | number | undefined;
};

interface Vector {
  readonly name: string;
  readonly edits: readonly Asked[];
  readonly message: string;
  readonly gives: string;
  readonly notes: readonly object[];
}

const { edits: vectors } = JSON.parse(readFileSync(new URL('../../../test-vectors/message/edits.json', import.meta.url), 'utf8')) as {
  readonly edits: readonly Vector[];
};

const mailbox = (address: unknown) => {
  const parsed = parseMailbox(String(address));
  return parsed.ok ? parsed.value : { localPart: '', domain: '', address: '' };
};
const moment = ({ date, offset = 0 }: Asked) => ({ date: Date.parse(date!), offset });

const EDITS: Readonly<Record<string, (asked: Asked) => Edit>> = {
  'return-path': ({ reversePath }) => returnPath(mailbox(reversePath)),
  'remove-return-path': removeReturnPath,
  'remove-bcc': removeBcc,
  'correct-date': correctDate,
  'add-from': ({ identity }) => addFrom(mailbox(identity)),
  'set-sender': ({ identity }) => setSender(mailbox(identity)),
  'add-date': (asked) => addDate(moment(asked)),
  'add-message-id': ({ id }) => addMessageId(String(id)),
  fold: ({ longest }) => foldLines(longest),
  sign: ({ field }) => sign(() => String(field)),
  received: (asked) =>
    received({
      helo: String(asked.helo),
      address: String(asked.address),
      by: String(asked.by),
      protocol: String(asked.protocol),
      ...(asked.id === undefined ? {} : { id: String(asked.id) }),
      ...(asked.recipient === undefined ? {} : { recipient: mailbox(asked.recipient) }),
      ...moment(asked),
    }),
};

/** The message edited in pieces: of `first` octets, then of `size`. */
function edited({ edits, message }: Vector, first: number, size: number): { readonly gives: string; readonly notes: readonly object[] } {
  const editor = new MessageEditor(
    edits.map((asked) => EDITS[asked.edit]!(asked)),
    { tolerate: ANY_HEADER },
  );
  const bytes = octets(message);
  let gives = '';
  let notes: readonly object[] = [];
  for (let at = 0; at <= bytes.length; ) {
    const to = at === bytes.length ? at + 1 : Math.min(bytes.length, at + (at === 0 && first > 0 ? first : size));
    if (at === bytes.length) editor.end();
    else editor.push(bytes.subarray(at, to));
    for (let event = editor.next(); event !== null; event = editor.next()) {
      if (event.type === 'octets') gives += latin1(event.bytes, 0, event.bytes.length);
      if (event.type === 'edited') notes = event.notes.map(short);
    }
    at = to;
  }
  return { gives, notes };
}

function short({ edit, change, field, refused, signatures }: EditNote): object {
  return {
    edit,
    change,
    field,
    ...(refused === null ? {} : { refused }),
    ...(signatures.length === 0 ? {} : { signatures: signatures.map(({ domain, selector }) => `${domain} ${selector}`) }),
  };
}

describe.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
  const { gives, notes, message } = vector;

  test('gives what it should, and tells it', () => {
    expect(edited(vector, 0, message.length)).toEqual({ gives, notes });
  });

  test('however it is cut', () => {
    expect(edited(vector, 0, 1)).toEqual({ gives, notes });
    for (let cut = 1; cut < Math.min(message.length, 400); cut++) expect(edited(vector, cut, message.length)).toEqual({ gives, notes });
  });
});

test('every edit has a vector', () => {
  const names = new Set(vectors.flatMap(({ edits }) => edits.map(({ edit }) => edit)));
  expect([...names].sort()).toEqual(Object.keys(EDITS).sort());
});
