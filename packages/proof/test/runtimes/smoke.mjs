// What must be the same wherever JavaScript runs: no import but the packages as built, no global but the language's own.
import { ServerSession } from '@ehlo/engine';
import * as grammar from '@ehlo/grammar';
import { describeEnhanced, parseEnhanced } from '@ehlo/grammar/codes';
import { formatProxy, parseProxy } from '@ehlo/grammar/proxy';
import { formatReceived, parseReceived, parseReturnPath } from '@ehlo/grammar/trace';

const { DIALECT, encodeUtf8, formatCommand, latin1, LETTER, parseCommand } = grammar;

const LINES = [
  'EHLO client.example',
  'HELO [127.0.0.1]',
  'MAIL FROM:<"joe \\"x\\" smith"@example.org> SIZE=99999999999999999999 BODY=8bitmime ENVID=a+20b RET=hdrs',
  'MAIL FROM:<jörg@müller.example> SMTPUTF8 HOLDUNTIL=2024-02-29T23:59:60Z',
  'MAIL FROM:<jörg@müller.example>',
  'RCPT TO:<@a,@b:c@[IPv6:::ffff:192.0.2.1]> NOTIFY=SUCCESS,DELAY ORCPT=utf-8;\\x{e9}@b',
  'MAIL FROM: <a@b>',
  'RCPT TO:<a..b@c_d.>',
  'AUTH PLAIN AGEAYg==',
  'XCLIENT NAME=[UNAVAILABLE] __proto__=+41',
  'VRFY "a b" SMTPUTF8',
  'BDAT 99999999999999999999 LAST',
  'ETRN #queue',
  'NOOP one two',
  'WHAT',
  'DATA \t',
];

/** Everything said and found, as one text. */
export function smoke() {
  return [...LINES.flatMap(command), ...others(), ...session()].join('\n');
}

function command(line) {
  return [LETTER, DIALECT, { ...DIALECT, tolerate: grammar.ANYTHING }].map((dialect) => {
    const parsed = parseCommand(encodeUtf8(line), dialect);
    return text(parsed.ok ? [parsed, shown(formatCommand(parsed.value))] : parsed);
  });
}

function others() {
  const reply = grammar.formatReply({ code: 550, enhanced: '5.1.1', lines: ['no such user', 'x'.repeat(600)] });
  const ehlo = grammar.parseEhlo(encodeUtf8('250-mx.example hello\r\n250-AUTH=LOGIN\r\n250 Size 1000\r\n'), {
    tolerate: grammar.POSTEL,
    utf8: true,
  });
  const received = formatReceived({
    helo: 'a.example',
    address: '::1',
    by: 'b.example',
    protocol: 'UTF8SMTPS',
    date: 86_400_000,
    offset: -90,
  });
  const header = { version: 2, local: false, family: 'TCP6', tlvs: [{ type: 4, value: encodeUtf8('é') }] };
  const proxy = formatProxy({ ...header, source: { address: '2001:db8::1', port: 1 }, destination: { address: '::', port: 65_535 } }, true);
  return [
    shown(reply),
    text(grammar.parseReply(reply)),
    text(ehlo),
    text(grammar.parseGreeting(encodeUtf8('220 mx.example ready\r\n'))),
    received,
    text(parseReceived(encodeUtf8(received))),
    text(parseReturnPath(encodeUtf8('Return-Path: <>\r\n'))),
    text(parseProxy(proxy)),
    text([parseEnhanced('5.1.1'), describeEnhanced('5.1.1'), parseEnhanced('5.01.1')]),
    grammar.encodeBase64(proxy),
    text(grammar.decodeBase64(encodeUtf8('AGEAYh=='))),
    text(grammar.EXTENSIONS),
  ];
}

/** A whole session, its greeting to its last reply, one octet at a time. */
function session() {
  const one = new ServerSession({ hostname: 'mx.example.org', preset: 'sink' });
  const log = [];
  const pull = () => {
    for (let event = one.nextEvent(); event !== null; event = one.nextEvent()) log.push(`event ${text(event)}`);
    for (let bytes = one.nextOutput(); bytes !== null; bytes = one.nextOutput()) {
      log.push(`output ${shown(bytes)}`);
      one.written(bytes.length);
    }
  };
  pull();
  const wire = 'EHLO c.example\r\nMAIL FROM: <a@b>\r\nRCPT TO:<c@d>\r\nBOO\r\nDATA\r\nSubject: é\r\n\r\n..y\r\n.\r\nQUIT\r\n';
  for (const octet of encodeUtf8(wire)) {
    one.tick(1);
    one.receive(Uint8Array.of(octet));
    pull();
  }
  return [...log, one.wants];
}

function shown(bytes) {
  return text(latin1(bytes, 0, bytes.length));
}

/** JSON, with octets and maps as they are. */
function text(value) {
  return JSON.stringify(value, (_, inner) => {
    if (inner instanceof Uint8Array) return [...inner];
    return inner instanceof Map ? [...inner] : inner;
  });
}
