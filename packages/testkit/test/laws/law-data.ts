// Laws about messages: where they end, what of them is kept, and that each has one end.
import type { MessageQuestion } from '@ehlo/engine';
import fc from 'fast-check';
import { type Conversation, type Plan, TLS } from '../../src/laws/conversation.ts';
import { contentOf, dataEnd, repliesOf, stuff } from '../../src/laws/reference.ts';
import { holds, type Law, property, same } from './law.ts';
import { conversation, cut, type Scenario, scenario, scriptOf, sizes, WILLING } from './scripts.ts';
import { body, FALSE_ENDS } from './streams.ts';

const HEAD = 'EHLO c.example\r\nMAIL FROM:<s@x.example>\r\nRCPT TO:<r@y.example>\r\nDATA\r\n';

function scenarioOf(preset: 'mx' | 'sink', plan: Plan = WILLING): Scenario {
  const limits = { faults: 100_000 };
  const options = { hostname: 'mx.example.org', preset, ask: ['rcpt', 'data', 'message'] as const, limits };
  return { options, plans: [plan], unwelcome: false, early: '', segments: [], marks: [], end: 'end' };
}

function contentIn({ log }: Conversation): string {
  return log.flatMap((line) => (line.type === 'chunk' ? [`${line.octets}`] : [])).join('');
}

const ending: Law = property(
  '6: only CRLF "." CRLF ends the data',
  fc.tuple(
    fc.array(fc.oneof(body, fc.constantFrom(...FALSE_ENDS)), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('')),
    fc.constantFrom('', '\r\n', '\r\n.', '\r\n.\r\n', '\r\n.\r\n', '\r\n.\r\n'),
    sizes,
    fc.constantFrom('mx' as const, 'sink' as const),
    fc.boolean(),
  ),
  (Session, [text, tail, sizes, preset, discard]) => {
    // Whatever stands behind the true end are lines of commands: each has a reply, so the replies tell where the data ended.
    const stream = `${HEAD}${text}${tail}NOOP\r\n`;
    const end = dataEnd(stream, HEAD.length);
    const value = scenarioOf(preset, { ...WILLING, discard });
    const talked = conversation(Session, value);
    talked.pump();
    talked.segment(cut(stream, sizes));
    const before = repliesOf(talked.output).length;
    same(talked.recorder.session.phase === 'data', end < 0, 'ends of data');
    if (end < 0) {
      same(before, 5, 'replies up to 354');
      return;
    }
    // A second message behind the end is none of this law.
    const rest = stream.slice(end);
    const lines = rest.split('\n').length - 1;
    const quits = /^(quit|bdat)/im.test(rest);
    if (!quits) same(before, 6 + lines, 'replies');
    const content = contentOf(stream, HEAD.length, end);
    const bare = /\r(?!\n)|(?<!\r)\n/.test(content);
    const [last] = talked.log.filter(({ type }) => type === 'message' || type === 'aborted');
    if (discard) return same([last?.type, last?.cause, contentIn(talked)], ['aborted', 'discarded', ''], 'discarded messages');
    if (preset === 'mx' && bare) {
      same([last?.type, last?.cause], ['aborted', 'bare-line-end'], 'messages with bare line ends');
      holds(content.startsWith(contentIn(talked)), 'what is kept of a refused message is its beginning');
      return;
    }
    same([last?.type, last?.size, contentIn(talked)], ['message', content.length, content], 'messages');
    same(Array.isArray(last?.deviations) && last.deviations.length > 0, bare, 'reports of bare line ends');
  },
);

const line: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('.', '..', '. ', ' ', 'a', 'text', '\0', '\xff') },
      { weight: 8, arbitrary: fc.string({ maxLength: 20 }) },
      { weight: 1, arbitrary: fc.constant('y'.repeat(998)) },
    ),
    { maxLength: 3 },
  )
  .map((parts) => parts.join('').replaceAll(/[\r\n]|[^\0-\xff]/g, '-'));

const roundTrip: Law = property(
  '7: stored is what was sent, octet for octet',
  fc.tuple(
    fc.array(fc.array(line, { maxLength: 8 }), { minLength: 1, maxLength: 3 }),
    sizes,
    fc.constantFrom('mx' as const, 'sink' as const),
  ),
  (Session, [messages, sizes, preset]) => {
    const bodies = messages.map((lines) => lines.map((text) => `${text}\r\n`).join(''));
    const transactions = bodies.map((text) => `MAIL FROM:<s@x.example>\r\nRCPT TO:<r@y.example>\r\nDATA\r\n${stuff(text)}`);
    const talked = conversation(Session, scenarioOf(preset));
    talked.pump();
    talked.segment(cut(`EHLO c.example\r\n${transactions.join('')}`, sizes));
    const stored: string[] = [''];
    for (const entry of talked.log) {
      if (entry.type === 'chunk') stored[stored.length - 1] += `${entry.octets}`;
      if (entry.type === 'message') {
        same(entry.size, stored.at(-1)!.length, 'sizes');
        stored.push('');
      }
    }
    same(stored, [...bodies, ''], 'messages');
  },
);

const bodies: Law = property(
  '6: every message that begins ends in exactly one message or aborted',
  fc.tuple(scenario, sizes),
  (Session, [value, sizes]) => {
    const ask = [...new Set([...(value.options.ask ?? []), 'data' as const, 'message' as const])];
    const all = { ...value, options: { ...value.options, ask } };
    const talked = conversation(Session, all);
    let begun = 0;
    talked.onAnswered = ({ type }, { answer }) => {
      if (type === 'data' && answer === 'accept') begun++;
    };
    const { log, recorder } = talked.run(scriptOf(all, sizes));
    let ended = 0;
    let inside = false;
    let stored = 0;
    /** LMTP: recipients that this message is still to be decided for. */
    let due: string[] = [];
    for (const line of log) {
      const { type } = line;
      if (type === 'data') {
        inside = true;
        stored = 0;
        due = [];
      }
      if (type === 'chunk') {
        holds(inside, 'a chunk outside a message');
        stored += `${line.octets}`.length;
      }
      if (type !== 'message' && type !== 'aborted') continue;
      if (type === 'message') {
        const { envelope, recipient, size } = line as unknown as MessageQuestion;
        same(size, stored, 'sizes');
        const recipients = envelope.recipients.map((one) => JSON.stringify(one));
        if (value.options.preset !== 'lmtp') same(recipient, null, 'recipients');
        else {
          // RFC 2033 4.2: one decision for each, in order; all share the one message.
          if (inside) due = recipients;
          same(due.shift(), JSON.stringify(recipient), 'recipients');
          if (!inside) continue;
        }
      }
      holds(inside, `${type} outside a message`);
      ended++;
      inside = false;
    }
    const running = ['data', 'chunk', 'chunks'].includes(recorder.session.phase) && inside;
    same(ended, begun - (running ? 1 : 0), 'ends of messages');
    const closed = log.at(-1)?.type === 'closed' || recorder.session.phase === 'message';
    holds(due.length === 0 || closed, `${due.length} recipients are undecided`);
  },
);

const sizeLimit: Law = property(
  '3: a message beyond the size limit is refused at its true end, and never handed over beyond it',
  fc.tuple(
    fc.integer({ min: -20, max: 20 }),
    body.filter((text) => dataEnd(`${text}\r\n.\r\n`, 0) === text.length + 5),
    sizes,
  ),
  (Session, [over, tail, sizes]) => {
    const value = scenarioOf('sink');
    const limit = 65_536;
    const talked = conversation(Session, { ...value, options: { ...value.options, tls: TLS, limits: { messageSize: limit } } });
    talked.pump();
    const text = `${'x'.repeat(limit - 2 + over)}\r\n${tail}`;
    talked.segment(cut(`${HEAD}${text}\r\n.\r\nNOOP\r\n`, sizes));
    const content = contentOf(`${text}\r\n.\r\n`, 0, text.length + 5);
    const fits = content.length <= limit;
    const codes = repliesOf(talked.output).map(({ code }) => code);
    same(codes, [220, 250, 250, 250, 354, fits ? 250 : 552, 250], 'replies');
    same(contentIn(talked), content.slice(0, limit), 'contents');
  },
);

export const DATA_LAWS: readonly Law[] = [ending, roundTrip, bodies, sizeLimit];
