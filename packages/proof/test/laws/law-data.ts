// Laws about messages: where they end, what of them is kept, and that each has one end.
import type { DataQuestion, MessageQuestion } from '@ehlo/engine';
import { octets, STRICT } from '@ehlo/grammar';
import fc from 'fast-check';
import { Conversation, type Plan, TLS } from '../../src/laws/conversation.ts';
import { contentOf, dataEnd, repliesOf, stuff } from '../../src/laws/reference.ts';
import { holds, type Law, property, same } from './law.ts';
import { conversation, cut, lively, type Scenario, scenario, scriptOf, sizes, WELCOME, WILLING } from './scripts.ts';
import { body, FALSE_ENDS } from './streams.ts';

const HEAD = 'EHLO c.example\r\nMAIL FROM:<s@x.example>\r\nRCPT TO:<r@y.example>\r\nDATA\r\n';

const HELLO = { mx: 'EHLO c.example\r\n', sink: 'EHLO c.example\r\n', lmtp: 'LHLO c.example\r\n' } as const;

function scenarioOf(preset: 'mx' | 'sink' | 'lmtp', plan: Plan = WILLING): Scenario {
  const limits = { faults: 100_000, smallChunks: 100_000, refusedRecipients: 100_000, idleCommands: 100_000 };
  const extensions = ['SIZE', '8BITMIME', 'ENHANCEDSTATUSCODES', 'CHUNKING', 'BINARYMIME'];
  const options = { hostname: 'mx.example.org', preset, ask: ['rcpt', 'data', 'message'] as const, limits, extensions };
  return { options, plans: [plan], welcome: WELCOME.in, early: '', segments: [], marks: [], end: 'end' };
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
    const value = scenarioOf(preset, { ...WILLING, discard: discard ? 0 : null });
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
    const lines = rest.split(preset === 'sink' ? '\n' : '\r\n').length - 1;
    // QUIT and a TLS handshake end the session; a chunk is no lines.
    const leaves = /^(?:quit|bdat)/im.test(rest) || rest.split(/[\r\n]/).some((one) => one.startsWith('\x16'));
    if (!leaves) same(before, 6 + lines, 'replies');
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

/** Any octets at all, for a message that is declared as binary (RFC 3030 3). */
const binary: fc.Arbitrary<string> = fc
  .array(fc.oneof(body, fc.constantFrom(...FALSE_ENDS, '\r', '\n', '\0', '\xff')), { maxLength: 6 })
  .map((parts) => parts.join(''));

/** A way to send a message, with what it can carry. */
const sent: fc.Arbitrary<{ readonly text: string; readonly by: 'DATA' | 'BDAT' | 'BINARYMIME' }> = fc.oneof(
  fc.record({
    text: fc.array(line, { maxLength: 8 }).map((lines) => lines.map((text) => `${text}\r\n`).join('')),
    by: fc.constantFrom('DATA' as const, 'DATA' as const, 'BDAT' as const, 'BDAT' as const),
  }),
  fc.record({ text: binary, by: fc.constant('BINARYMIME' as const) }),
);

const roundTrip: Law = property(
  '7: stored is what was sent, octet for octet',
  fc.tuple(
    fc.array(sent, { minLength: 1, maxLength: 3 }),
    fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 4 }),
    sizes,
    fc.constantFrom('mx' as const, 'sink' as const, 'lmtp' as const),
  ),
  (Session, [messages, lengths, sizes, preset]) => {
    const transactions = messages.map(({ text, by }) => {
      const body = by === 'BINARYMIME' ? ' BODY=BINARYMIME' : '';
      const data = by === 'DATA' ? `DATA\r\n${stuff(text)}` : inChunks(text, lengths);
      return `MAIL FROM:<s@x.example>${body}\r\nRCPT TO:<r@y.example>\r\n${data}`;
    });
    const talked = conversation(Session, scenarioOf(preset));
    talked.pump();
    talked.segment(cut(`${HELLO[preset]}${transactions.join('')}`, sizes));
    const stored: string[] = [''];
    for (const entry of talked.log) {
      if (entry.type === 'chunk') stored[stored.length - 1] += `${entry.octets}`;
      if (entry.type === 'message') {
        same(entry.size, stored.at(-1)!.length, 'sizes');
        stored.push('');
      }
    }
    same(stored, [...messages.map(({ text }) => text), ''], 'messages');
  },
);

/** A message by BDAT, in chunks of these lengths, taken in turn; the last may be of no octets. */
function inChunks(text: string, lengths: readonly number[]): string {
  const chunks: string[] = [];
  let at = 0;
  for (let k = 0; at < text.length && k < 40; k++) {
    const chunk = text.slice(at, at + lengths[k % lengths.length]!);
    chunks.push(`BDAT ${chunk.length}\r\n${chunk}`);
    at += chunk.length;
  }
  const rest = text.slice(at);
  return `${chunks.join('')}BDAT ${rest.length} LAST\r\n${rest}`;
}

interface Manner {
  /** What comes before the first BDAT, behind EHLO. */
  readonly head: string;
  readonly plan?: Partial<Plan>;
  readonly extensions?: readonly string[];
  /** The reply to each chunk. */
  readonly code: number;
  readonly lmtpCode?: number;
}

const ENVELOPE = 'MAIL FROM:<s@x.example>\r\nRCPT TO:<r@y.example>\r\nRCPT TO:<r@z.example>\r\n';
const NO = { code: 450, text: 'no' };

/** Why a chunk is taken or refused. */
const MANNERS: { readonly [name: string]: Manner } = {
  taken: { head: ENVELOPE, code: 250 },
  rejected: { head: ENVELOPE, plan: { answer: 'reject', rejection: NO }, code: 450 },
  discarded: { head: ENVELOPE, plan: { discard: 0, rejection: NO }, code: 450 },
  'before MAIL': { head: 'NOOP\r\n', code: 503 },
  'before RCPT': { head: 'MAIL FROM:<>\r\n', code: 503 },
  'without a recipient': { head: 'MAIL FROM:<>\r\nRCPT TO:<>\r\n', code: 554, lmtpCode: 503 },
  'not offered': { head: ENVELOPE, extensions: ['ENHANCEDSTATUSCODES'], code: 502 },
};

const exact: Law = property(
  '6: a chunk is exactly its octets, whether it is taken or refused',
  fc.tuple(
    fc.array(fc.oneof(body, fc.constantFrom(...FALSE_ENDS, 'NOOP\r\n', 'RSET\r\nQUIT\r\n', 'BDAT 9\r\n', '')), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.constantFrom(...Object.keys(MANNERS)),
    fc.constantFrom('mx' as const, 'sink' as const, 'lmtp' as const),
    sizes,
  ),
  (Session, [chunks, name, preset, sizes]) => {
    const { head, plan, extensions, code, lmtpCode } = MANNERS[name]!;
    const value = scenarioOf(preset);
    const options = { ...value.options, tolerate: STRICT, ...(extensions === undefined ? {} : { extensions }) };
    const talked = new Conversation(Session, options, ({ type }) => (type === 'data' ? { ...WILLING, ...plan } : WILLING));
    talked.pump();
    talked.segment([octets(HELLO[preset] + head)]);
    const [written, logged] = [talked.output.length, talked.log.length];
    const bdat = chunks.map((text, k) => `BDAT ${text.length}${k + 1 < chunks.length ? '' : ' LAST'}\r\n${text}`);
    talked.segment(cut(`${bdat.join('')}VRFY a\r\n`, sizes));

    const content = chunks.join('');
    const bare = preset !== 'sink' && /\r(?!\n)|(?<!\r)\n/.test(content);
    const codes = repliesOf(talked.output.slice(written)).map((reply) => reply.code);
    // RFC 2033 4.3: as many replies to the last as there are recipients.
    const last = preset === 'lmtp' && extensions === undefined ? (head === ENVELOPE ? 2 : 0) : 1;
    same(codes.length, chunks.length - 1 + last + 1, `replies to ${chunks.length} chunks`);
    same(codes.pop(), 252, 'replies to what follows');
    if (name === 'taken' && bare) same([...codes].sort(), codes, 'replies to chunks');
    else if (name !== 'taken')
      same(
        codes,
        codes.map(() => (preset === 'lmtp' ? (lmtpCode ?? code) : code)),
        'replies to chunks',
      );
    const taken = name === 'taken' && !bare;
    same(
      codes.slice(-last || codes.length).every((one) => one === 250),
      taken || last === 0,
      'replies to the last',
    );
    const kept = contentIn(talked);
    if (taken) same(kept, content, 'contents');
    else holds(content.startsWith(kept) && (name === 'taken' || kept === ''), `${kept} is kept of what is refused`);
    const { session } = talked.recorder;
    same([session.phase, session.envelope !== null], name === 'not offered' ? ['rcpt', true] : ['ready', false], 'phases');
    const events = talked.log.slice(logged).flatMap(({ type }) => (type === 'mail' || type === 'reset' || type === 'closed' ? [type] : []));
    same(events, [], 'commands within a chunk');
  },
);

const broken: Law = property(
  '6: a line that a bare LF breaks has one reply, and nothing of it is carried out; nor is anything of a chunk that may follow',
  fc.tuple(
    fc.constantFrom('NOOP', 'RSET', 'BDAT 9', 'BDAT 9 LAST', 'bdat 9', 'AUTH PLAIN', 'XYZZY', '', 'x'.repeat(3000)),
    fc.array(fc.oneof(body, fc.constantFrom('NOOP', 'RSET', '\n', '\r', 'BDAT 3', 'BDAT 0 LAST', 'QUIT', 'y'.repeat(3000))), {
      maxLength: 4,
    }),
    fc.constantFrom('mx' as const, 'lmtp' as const),
    fc.boolean(),
    sizes,
  ),
  (Session, [first, parts, preset, inAuth, sizes]) => {
    // No CRLF; and no TLS, which has a law of its own. HTTP is none behind a MAIL.
    const rest = parts.join('').replaceAll(/\r+\n/g, '\n').replaceAll('\x16', '-');
    const value = scenarioOf(preset);
    const auth = { mechanisms: ['PLAIN'], inClear: true };
    const talked = new Conversation(
      Session,
      { ...value.options, extensions: [...value.options.extensions!, 'AUTH'], auth, ask: ['auth', 'rcpt', 'message'] },
      () => ({ ...WILLING, challenges: 9 }),
    );
    talked.pump();
    talked.segment([octets(`${HELLO[preset]}${inAuth ? 'MAIL FROM:<>\r\nRSET\r\nAUTH PLAIN\r\n' : ENVELOPE}`)]);
    const { session } = talked.recorder;
    const before = { written: talked.output.length, logged: talked.log.length, phase: session.phase };
    talked.segment(cut(`${first}\n${rest}\r\nVRFY a\r\n`, sizes));
    const codes = repliesOf(talked.output.slice(before.written)).map(({ code }) => code);
    const asked = talked.log
      .slice(before.logged)
      .flatMap(({ type }) => (type === 'fault' || type === 'closed' || type === 'aborted' ? [] : [type]));
    same(asked, [], 'what is told but faults');
    // Where the chunk ends that may follow is not known.
    if (/^bdat/i.test(first) && !inAuth) return same([codes, session.phase], [[421], 'closed'], 'replies to BDAT');
    same(codes, [500, 252], 'replies');
    same(session.phase, inAuth ? 'ready' : before.phase, 'phases');
  },
);

const bodies: Law = property(
  '6: every message that begins ends in exactly one message or aborted',
  fc.tuple(fc.oneof(scenario, lively), sizes),
  (Session, [value, sizes]) => {
    const ask = [...new Set([...(value.options.ask ?? []), 'data' as const, 'message' as const])];
    const all = { ...value, options: { ...value.options, ask } };
    const talked = conversation(Session, all);
    /** Whether each message that was asked about is wanted. */
    const begun: boolean[] = [];
    talked.onAnswered = ({ type }, { answer }) => {
      if (type === 'data') begun.push(answer === 'accept');
    };
    const { log, recorder } = talked.run(scriptOf(all, sizes));
    let [asked, ended] = [0, 0];
    let inside = false;
    let stored = 0;
    /** LMTP: recipients that this message is still to be decided for. */
    let due: string[] = [];
    for (const line of log) {
      const { type } = line;
      if (type === 'data') {
        const { verb, envelope } = line as unknown as DataQuestion;
        // RFC 3030 3: "BINARYMIME cannot be used with the DATA command."
        holds(verb === 'BDAT' || envelope.parameters.body !== 'BINARYMIME', 'DATA for a binary message');
        inside = begun[asked++]!;
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
    same(ended, begun.filter((wanted) => wanted).length - (running ? 1 : 0), 'ends of messages');
    const closed = log.at(-1)?.type === 'closed' || recorder.session.phase === 'message';
    holds(due.length === 0 || closed, `${due.length} recipients are undecided`);
  },
);

const sizeLimit: Law = property(
  '3: a message beyond the size limit is refused at its true end, and never handed over beyond it',
  fc.tuple(
    fc.integer({ min: -20, max: 20 }),
    body.filter((text) => dataEnd(`${text}\r\n.\r\n`, 0) === text.length + 5),
    fc.constantFrom('DATA' as const, 'DATA' as const, 'BDAT' as const),
    fc.nat(),
    sizes,
  ),
  (Session, [over, tail, by, place, sizes]) => {
    const value = scenarioOf('sink');
    const limit = 65_536;
    const talked = conversation(Session, { ...value, options: { ...value.options, tls: TLS, limits: { messageSize: limit } } });
    talked.pump();
    const text = `${'x'.repeat(limit - 2 + over)}\r\n${tail}`;
    const content = by === 'DATA' ? contentOf(`${text}\r\n.\r\n`, 0, text.length + 5) : text;
    const at = place % (content.length + 1);
    const chunks = `BDAT ${at}\r\n${content.slice(0, at)}BDAT ${content.length - at} LAST\r\n${content.slice(at)}`;
    const stream = by === 'DATA' ? `${HEAD}${text}\r\n.\r\n` : `${HEAD.slice(0, -'DATA\r\n'.length)}${chunks}`;
    talked.segment(cut(`${stream}NOOP\r\n`, sizes));
    const fits = content.length <= limit;
    const codes = repliesOf(talked.output).map(({ code }) => code);
    const first = by === 'DATA' ? 354 : at <= limit ? 250 : 552;
    same(codes, [220, 250, 250, 250, first, fits ? 250 : 552, 250], 'replies');
    same(contentIn(talked), content.slice(0, limit), 'contents');
  },
);

export const DATA_LAWS: readonly Law[] = [ending, exact, broken, roundTrip, bodies, sizeLimit];
