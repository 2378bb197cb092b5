// Law 5: TLS begins with nothing from before it.
import { octets } from '@ehlo/grammar';
import fc from 'fast-check';
import { TLS } from '../../src/laws/conversation.ts';
import { holds, type Law, property, same } from './law.ts';
import { conversation, cut, inProtocol, logFrom, quiet, type Scenario, scriptOf, sizes, talk, UNCOUNTED, WILLING } from './scripts.ts';
import { command, noise, stream } from './streams.ts';

const upgrading: fc.Arbitrary<Scenario> = quiet.map((value) => {
  const { tls: _, ...options } = value.options;
  return {
    ...value,
    options: {
      ...options,
      starttls: options.starttls === 'required' ? 'required' : 'offered',
      limits: {
        ...options.limits,
        ...UNCOUNTED,
      },
      trust: options.trust!.filter((verb) => verb === 'XFORWARD'),
      earlyTalkers: 'ignore',
      extensions: ['STARTTLS', 'AUTH', 'SIZE', 'VRFY', 'PIPELINING', 'CHUNKING', 'SMTPUTF8', '8BITMIME'],
    },
    plans: [{ ...value.plans[0]!, answer: 'accept' }],
    early: '',
    end: 'end',
  };
});

const forgotten: Law = property(
  '5: after the handshake a session is one that was secure from the start',
  fc.tuple(
    upgrading,
    stream,
    stream,
    fc.constantFrom('EHLO secure.example\r\n', 'EHLO secure.example\r\n', '', 'VRFY \u00c3\u00bc SMTPUTF8\r\n'),
    sizes,
  ),
  (Session, [value, clear, secret, hello, sizes]) => {
    const secure = inProtocol(value.options, hello + secret);
    const first = inProtocol(value.options, `EHLO clear.example\r\n${clear}\r\n.\r\nRSET\r\nEHLO clear.example\r\nSTARTTLS\r\n`);
    const upgraded = talk(Session, { ...value, segments: [first, secure] }, sizes);
    if (upgraded.secured?.segments !== 1) return;
    const { log, output } = upgraded.secured;
    // RFC 3207 4.2: not offered again, and so not there.
    holds(!/^(250[- ]STARTTLS|220)/m.test(upgraded.output.slice(output)), 'STARTTLS under TLS');
    const direct = conversation(Session, { ...value, options: { ...value.options, tls: TLS } });
    direct.run(scriptOf({ ...value, segments: [], end: 'idle' }, sizes));
    const greeting = { log: direct.log.length, output: direct.output.length };
    for (const piece of cut(secure, sizes)) direct.segment([piece]);
    direct.recorder.receiveEnd();
    direct.pump();
    same(logFrom(upgraded, log, output), logFrom(direct, greeting.log, greeting.output), 'events under TLS');
    same(upgraded.output.slice(output), direct.output.slice(greeting.output), 'replies under TLS');
    same(upgraded.facts(), direct.facts(), 'facts under TLS');
  },
);

const bare: Law = property(
  '5: the handshake forgets hello, identity and envelope',
  fc.tuple(upgrading, fc.boolean(), command),
  (Session, [value, authenticate, next]) => {
    const options = { ...value.options, ask: ['auth', 'rcpt', 'message'] as const, auth: { mechanisms: ['PLAIN'], inClear: true } };
    const auth = authenticate ? 'AUTH PLAIN AGEAYg==\r\n' : '';
    const begin = {
      ...value,
      options,
      plans: [{ ...WILLING, challenges: 0 }],
      segments: [inProtocol(options, `EHLO c.example\r\n${auth}STARTTLS\r\n`)],
      end: 'idle' as const,
    };
    const talked = talk(Session, begin);
    const { session } = talked.recorder;
    holds(talked.secured !== null, 'no handshake');
    same([session.hello, session.identity, session.envelope, session.phase], [null, null, null, 'greeted'], 'facts after the handshake');
    const { length } = talked.output;
    talked.segment([
      octets('MAIL FROM:<a@b.example>\r\n'),
      octets(`${next.replaceAll(/^(EHLO|HELO|LHLO).*/gi, 'NOOP')}\r\n`),
      octets('AUTH PLAIN AGEAYg==\r\n'),
    ]);
    same(talked.output.slice(length, length + 3), '503', 'replies to MAIL before EHLO');
    same([session.hello, session.identity, session.envelope], [null, null, null], 'facts before EHLO');
  },
);

/** Where octets come that STARTTLS should have been the last of. */
const injected: Law = property(
  '5: octets behind STARTTLS are executed neither before TLS nor after',
  fc.tuple(
    upgrading,
    fc
      .oneof(
        stream,
        noise,
        command.map((line) => `${line}\r\n`),
        fc.constantFrom('N', 'RSET\r\n', '\r\n', 'EHLO evil.example\r\nMAIL FROM:<evil@x>\r\n'),
      )
      .filter((text) => text !== ''),
    fc.constantFrom('same chunk', 'own chunks', 'during the question', 'before the handshake'),
    sizes,
  ),
  (Session, [value, text, where, sizes]) => {
    const ask = [...new Set([...(value.options.ask ?? []), 'starttls' as const])];
    const options = { ...value.options, ask: where === 'during the question' ? ask : (value.options.ask ?? []) };
    const plans = [{ ...WILLING, eager: 1 }];
    const talked = talk(Session, { ...value, options, plans, segments: [inProtocol(options, 'EHLO c.example\r\n')], end: 'idle' });
    const written = talked.output.length;
    const logged = talked.log.length;
    const injection = cut(text, sizes);
    if (where === 'same chunk') talked.segment([octets(`STARTTLS\r\n${text}`)]);
    else if (where === 'before the handshake') {
      talked.recorder.receive(octets('STARTTLS\r\n'));
      talked.pump();
      same(talked.recorder.session.wants, 'tls', 'wants');
      for (const piece of injection) talked.recorder.receive(piece);
      talked.recorder.secured(TLS);
      talked.pump();
    } else talked.segment([octets('STARTTLS\r\n'), ...injection]);
    talked.recorder.secured(TLS);
    talked.segment([octets('NOOP\r\nEHLO c.example\r\n')]);
    same(talked.output.slice(written, written + 4), '220 ', 'replies to STARTTLS');
    same(talked.output.slice(written).split('\r\n').length, 2, 'replies behind STARTTLS');
    const events = talked.log.slice(logged).filter(({ type }) => type !== 'trace' && type !== 'starttls');
    same(
      events.map(({ type, code, cause }) => [type, code ?? cause]),
      [
        ['fault', 'plaintext-after-starttls'],
        ['closed', 'plaintext-after-starttls'],
      ],
      'events behind STARTTLS',
    );
  },
);

export const TLS_LAWS: readonly Law[] = [forgotten, bare, injected];
