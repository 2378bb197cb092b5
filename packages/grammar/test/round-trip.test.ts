import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatEnhanced, parseEnhanced } from '../src/codes.ts';
import * as grammar from '../src/index.ts';
import { encodeUtf8, LETTER, octets, PARAMETERS } from '../src/index.ts';
import { formatProxy, type ProxyHeader, parseProxy } from '../src/proxy.ts';
import { formatReceived, formatReturnPath, parseReceived, parseReturnPath } from '../src/trace.ts';
import * as any from './arbitraries.ts';

/** Of each kind; with one seed, so that a build fails for what changed. */
const RUNS = 300;
const hold = <T>(values: fc.Arbitrary<T>, check: (value: T) => void, numRuns = RUNS): void => {
  const property = fc.property(values, (value) => {
    check(value);
  });
  fc.assert(property, { numRuns, seed: 5321 });
};
const value = <T>(parsed: grammar.Parsed<T>): T | grammar.Failure => (parsed.ok ? parsed.value : parsed);
const utf8 = (bytes: Uint8Array): string => grammar.decodeUtf8(bytes, 0, bytes.length);

test.each(Object.entries(any.COMMANDS))('%s is read as it was written, and written again as it was', (_, commands) => {
  hold(commands, (command) => {
    const line = grammar.formatCommand(command);
    const parsed = grammar.parseCommand(line, LETTER);
    expect(value(parsed)).toEqual(command);
    if (parsed.ok) expect(utf8(grammar.formatCommand(parsed.value))).toBe(utf8(line));
  });
});

test.each(PARAMETERS.map((parameter) => [`${parameter.extension} ${parameter.keyword}`, parameter] as const))(
  'the value of %s',
  (_, { name, codec }) => {
    const given = fc.oneof(any.mailParameters, any.rcptParameters).map((all) => (all as Record<string, unknown>)[name]);
    let met = 0;
    hold(
      given.filter((one) => one !== undefined && (codec.parse(codec.format(one), []) !== undefined || name !== 'body')),
      (one) => {
        met++;
        const written = codec.format(one);
        expect(codec.parse(written, [])).toEqual(one);
        expect(codec.format(codec.parse(written, []))).toEqual(written);
      },
      100,
    );
    expect(met).toBe(100);
  },
);

test('addresses: every spelling of a local part is one address', () => {
  hold(
    any.mailbox.chain((mailbox) => fc.tuple(fc.constant(mailbox), any.spelling(mailbox.localPart))),
    ([mailbox, quoted]) => {
      const written = grammar.formatMailbox(mailbox.localPart, mailbox.domain);
      expect(written).toBe(mailbox.address);
      expect(value(grammar.parseMailbox(encodeUtf8(written)))).toEqual(mailbox);
      const other = grammar.parseMailbox(encodeUtf8(`${quoted}@${mailbox.domain}`));
      expect(value(other)).toEqual(mailbox);
      const louder = grammar.parseMailbox(encodeUtf8(`${quoted}@${mailbox.domain.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase())}`));
      expect(louder.ok && grammar.sameMailbox(louder.value, mailbox)).toBe(true);
    },
    1000,
  );
});

test('two local parts that differ are two mailboxes', () => {
  hold(fc.tuple(any.mailbox, any.mailbox), ([a, b]) => {
    const together = { ...b, domain: a.domain };
    expect(grammar.sameMailbox(a, together)).toBe(a.localPart === b.localPart);
  });
});

/** The key of a forward-path. */
const keyOf = (text: string): string => {
  const parsed = grammar.parsePath(encodeUtf8(text), grammar.FORWARD_PATH);
  return parsed.ok ? grammar.mailboxKey(parsed.value) : parsed.message;
};

test('two mailboxes have one key if they are the same, and only then', () => {
  const upper = ({ localPart, domain }: grammar.Mailbox): grammar.Mailbox => {
    const louder = domain.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
    return { localPart, domain: louder, address: grammar.formatMailbox(localPart, louder) };
  };
  hold(
    any.mailbox.chain((one) => fc.tuple(fc.constant(one), fc.oneof(any.mailbox, fc.constant(one), fc.constant(upper(one))))),
    ([a, b]) => {
      expect(grammar.mailboxKey(a) === grammar.mailboxKey(b)).toBe(grammar.sameMailbox(a, b));
      const { localPart } = b;
      const together = { ...a, localPart, address: grammar.formatMailbox(localPart, a.domain) };
      expect(grammar.mailboxKey(a) === grammar.mailboxKey(together)).toBe(grammar.sameMailbox(a, together));
    },
    1000,
  );
});

test.each([
  ['<Joe@Example.ORG>', 'Joe@example.org'],
  ['<"Joe"@example.org>', 'Joe@example.org'],
  ['<"joe smith"@Example.org>', '"joe smith"@example.org'],
  ['<@a.example:joe@B.example>', 'joe@b.example'],
  ['<POSTMASTER>', 'postmaster'],
  ['<"Postmaster"@Example.org>', 'postmaster@example.org'],
  ['<joe@[192.0.2.1]>', 'joe@[192.0.2.1]'],
  ['<joe@[IPv6:2001:DB8::1]>', 'joe@[IPv6:2001:db8:0:0:0:0:0:1]'],
  ['<joe@[ipv6:2001:db8:0::192.0.2.1]>', 'joe@[IPv6:2001:db8:0:0:0:0:c000:201]'],
])('the key of %s', (path, key) => {
  expect(keyOf(path)).toBe(key);
});

test('with IDNA a U-label and its A-label have one key', () => {
  const toAscii = (domain: string): string => new URL(`http://${domain}`).hostname;
  const [a, b] = ['bücher.example', 'XN--bcher-kva.example'].map((domain) => ({ localPart: 'joe', domain, address: `joe@${domain}` }));
  expect(grammar.mailboxKey(a!, toAscii)).toBe('joe@xn--bcher-kva.example');
  expect(grammar.mailboxKey(b!, toAscii)).toBe('joe@xn--bcher-kva.example');
  expect(grammar.mailboxKey(a!)).toBe('joe@bücher.example');
});

test.each([
  ['Reverse-path', 'reverse', grammar.REVERSE_PATH],
  ['Forward-path', 'forward', grammar.FORWARD_PATH],
] as const)('%s', (_, kind, rule) => {
  hold(any.path(kind), (path) => expect(value(grammar.parsePath(encodeUtf8(grammar.formatPath(path)), rule))).toEqual(path));
});

const line = any.printable(0, 60).map((text) => text.trim());
const code = fc.integer({ min: 200, max: 559 }).filter((number) => Math.floor(number / 10) % 10 <= 5);

test('replies', () => {
  const enhanced = fc.tuple(fc.nat(999), fc.nat(999)).map((numbers) => numbers.join('.'));
  const replies = fc
    .tuple(code, fc.array(line, { minLength: 1, maxLength: 5 }), fc.option(enhanced))
    .map(([number, lines, rest]): grammar.Reply => {
      // RFC 2034 4: only in replies of class 2, 4 and 5, and of that class.
      const digit = Math.floor(number / 100);
      return rest === null || digit === 3
        ? { code: number, lines: lines.map((text) => `. ${text}`) }
        : { code: number, enhanced: `${digit}.${rest}`, lines };
    });
  hold(replies, (reply) => expect(value(grammar.parseReply(grammar.formatReply(reply)))).toEqual(reply), 1000);
});

test('no text breaks a reply in two, or makes its line too long', () => {
  hold(fc.tuple(code, fc.array(fc.string({ unit: 'binary', maxLength: 1500 }), { minLength: 1, maxLength: 3 })), ([number, lines]) => {
    const wire = grammar.formatReply({ code: number, lines });
    const parsed = grammar.parseReply(wire);
    expect(parsed.ok && parsed.value.code).toBe(number);
    for (const one of utf8(wire).split('\r\n')) expect(one.length).toBeLessThanOrEqual(510);
  });
});

const keyword = fc.constantFrom('SIZE', 'PIPELINING', '8BITMIME', 'X-1', 'AUTH', 'CONSTRUCTOR');
const visible = fc.string({ unit: fc.integer({ min: 33, max: 126 }).map((at) => String.fromCharCode(at)), minLength: 1, maxLength: 12 });
const ehloLines = fc.array(fc.record({ keyword, parameters: fc.array(visible, { maxLength: 3 }) }), { maxLength: 5 });

test('answers to EHLO', () => {
  hold(fc.record({ name: any.domain, greet: line, lines: ehloLines }), (answer) => {
    const wire = grammar.formatEhlo(answer);
    expect(value(grammar.parseEhlo(wire, { tolerate: new Set(), utf8: false }))).toEqual(answer);
    expect(grammar.ehloOkResponse(wire, 0, wire.length)).toBe(wire.length);
  });
});

test('greetings', () => {
  const lines = fc.tuple(line, fc.array(line, { maxLength: 3 })).map(([first, rest]) => [first, ...rest]);
  hold(fc.record({ name: any.hostName, lines }), (greeting) => {
    expect(value(grammar.parseGreeting(grammar.formatGreeting(greeting)))).toEqual(greeting);
  });
});

test('base64: any octets, and any text that is one', () => {
  hold(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const text = grammar.encodeBase64(bytes);
    expect(text).toBe(Buffer.from(bytes).toString('base64'));
    expect(grammar.decodeBase64(octets(text))).toEqual(bytes);
  });
  hold(fc.base64String(), (text) => {
    const decoded = grammar.decodeBase64(octets(text));
    expect(decoded === null || grammar.encodeBase64(decoded) === text).toBe(true);
    expect(decoded === null).toBe(Buffer.from(text, 'base64').toString('base64') !== text);
  });
});

test('xtext, and its relative for UTF-8', () => {
  hold(any.printable(0, 100), (text) => expect(grammar.decodeXtext(grammar.encodeXtext(text))).toBe(text));
  const character = fc
    .integer({ min: 0x20, max: 0x10ffff })
    .filter((at) => at !== 0x7f && (at < 0xd800 || at > 0xdfff))
    .map((at) => String.fromCodePoint(at));
  hold(fc.string({ unit: character, minLength: 1, maxLength: 40 }), (text) => {
    const written = grammar.encodeUtf8Address(text);
    expect(written).toMatch(/^[!-~]+$/);
    expect(grammar.decodeUtf8Address(written)).toBe(text);
    expect(grammar.decodeUtf8Address(written.replaceAll(/\{\w+\}/g, (point) => point.toLowerCase()))).toBe(text);
  });
  // Whatever text is written, the word stays one that may stand in a parameter.
  hold(fc.string({ unit: 'binary' }), (text) => {
    expect(grammar.encodeXtext(text)).toMatch(/^[!-<>-~]*$/);
    expect(grammar.encodeUtf8Address(text)).toMatch(/^[!-<>-~]*$/);
  });
});

test('UTF-8: any text, and half a surrogate pair as the platform writes it', () => {
  hold(fc.string({ unit: 'binary' }), (text) => {
    expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text));
    expect(utf8(encodeUtf8(text))).toBe(text);
  });
  for (const half of ['a\ud800b', '\udfff', '\udc00\ud800', 'é\ud83d']) expect(encodeUtf8(half)).toEqual(new TextEncoder().encode(half));
});

test('PROXY headers, with a checksum and without, at every cut', () => {
  const end = (address: fc.Arbitrary<string>) => fc.record({ address, port: fc.nat(65_535) });
  const tlvs = fc.array(fc.record({ type: fc.nat(255).filter((type) => type !== 3), value: fc.uint8Array({ maxLength: 20 }) }), {
    maxLength: 3,
  });
  const version1 = fc.record({
    version: fc.constant(1 as const),
    local: fc.constant(false),
    family: fc.constant('TCP4' as const),
    source: end(any.ipv4),
    destination: end(any.ipv4),
    tlvs: fc.constant([]),
  });
  const version2 = fc.record({
    version: fc.constant(2 as const),
    local: fc.constant(false),
    family: fc.constantFrom('TCP4' as const, 'UDP4' as const),
    source: end(any.ipv4),
    destination: end(any.ipv4),
    tlvs,
  });
  hold(
    fc.tuple(fc.oneof<fc.Arbitrary<ProxyHeader>[]>(version1, version2), fc.boolean()),
    ([header, checksum]) => {
      const wire = formatProxy(header, checksum);
      const parsed = parseProxy(wire);
      expect(parsed?.ok && { ...parsed.value.header, tlvs: parsed.value.header.tlvs.filter(({ type }) => type !== 3) }).toEqual(header);
      for (let cut = 0; cut < wire.length; cut++) expect(parseProxy(wire.subarray(0, cut))).toBeNull();
    },
    100,
  );
});

test('trace fields', () => {
  const facts = fc.record(
    {
      helo: any.hostName,
      address: any.ipv4,
      host: any.domain,
      by: any.domain,
      protocol: fc.constantFrom('ESMTP', 'SMTP', 'ESMTPSA', 'UTF8SMTPS'),
      id: fc.stringMatching(/^[a-z0-9]{1,12}$/),
      recipient: any.mailbox,
      date: fc.integer({ min: 0, max: 4e9 }).map((seconds) => seconds * 1000),
      offset: fc.integer({ min: -720, max: 840 }),
    },
    { requiredKeys: ['helo', 'by', 'protocol', 'date', 'address'] },
  );
  hold(facts, (given) => {
    const parsed = parseReceived(encodeUtf8(formatReceived(given)));
    expect(parsed).toMatchObject({ ok: true });
    if (!parsed.ok) return;
    const { from, by, clauses, date, offset } = parsed.value;
    expect(from).toEqual({ name: given.helo, literal: `[${given.address}]`, ...(given.host === undefined ? {} : { host: given.host }) });
    expect([by, date, offset]).toEqual([{ name: given.by }, given.date, given.offset ?? 0]);
    const stated = [given.protocol, given.id, given.recipient && grammar.formatPath({ ...given.recipient, route: [] } as grammar.Path)];
    expect([clauses.get('WITH'), clauses.get('ID'), clauses.get('FOR')]).toEqual(stated);
  });
  hold(any.path('reverse'), (path) => expect(value(parseReturnPath(encodeUtf8(formatReturnPath(path))))).toEqual(path));
});

test('a Received field has no FOR for <Postmaster>, which is no mailbox of its grammar', () => {
  const facts = { helo: 'c.example', address: '192.0.2.1', by: 'mx.example', protocol: 'ESMTP', date: 0 };
  const recipient = { localPart: 'Postmaster', domain: '', address: 'Postmaster' };
  expect(formatReceived({ ...facts, recipient })).toBe(formatReceived(facts));
});

test('enhanced codes', () => {
  const codes = fc.record({ class: fc.constantFrom(2 as const, 4 as const, 5 as const), subject: fc.nat(999), detail: fc.nat(999) });
  hold(codes, (one) => expect(parseEnhanced(formatEnhanced(one))).toEqual(one));
});
