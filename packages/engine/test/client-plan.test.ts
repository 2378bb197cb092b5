import { ANYTHING, type Deviation, latin1, octets, PARAMETERS } from '@ehlo/grammar';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Address,
  type Capabilities,
  type ClientEnvelope,
  ClientSession,
  type PlanOptions,
  planTransaction,
  scanMessage,
} from '../src/index.ts';

function offering(...lines: readonly string[]): Capabilities {
  const extensions = new Map(lines.map((line) => [line.split(' ')[0]!, line.split(' ').slice(1)] as const));
  return { verb: 'EHLO', name: 'mx.example.net', tls: true, extensions };
}

const to = (...recipients: readonly string[]): ClientEnvelope => ({
  reversePath: 'joe@a.example',
  recipients: recipients.map((forwardPath) => ({ forwardPath })),
});

describe('toAscii, of a domain where the server has no SMTPUTF8 (RFC 6531 3.2)', () => {
  const toAscii = (domain: string): string => domain.replaceAll('bücher', 'xn--bcher-kva');
  const lines = (given: ClientEnvelope, options: PlanOptions, ...offers: readonly string[]): (string | undefined)[] => {
    const { mail, recipients } = planTransaction(offering('8BITMIME', ...offers), given, { body: '7BIT' }, options);
    return [mail, ...recipients.map(({ line, problem }) => problem?.code ?? line)];
  };

  test('is said in the place of it where the local part is ASCII, of the sender and of recipients', () => {
    const envelope = { reversePath: 'joe@bücher.example', recipients: to('"a b"@www.bücher.example', 'ann@b.example').recipients };
    const ascii = ['MAIL FROM:<joe@xn--bcher-kva.example>', 'RCPT TO:<"a b"@www.xn--bcher-kva.example>', 'RCPT TO:<ann@b.example>'];
    expect(lines(envelope, { toAscii })).toEqual(ascii);
    expect(lines(envelope, { toAscii }, 'SMTPUTF8')[0]).toBe('MAIL FROM:<joe@bücher.example> SMTPUTF8');
    expect(lines(envelope, {}).slice(1)).toEqual(['smtputf8', 'smtputf8']);
  });

  test('is nothing for a local part beyond ASCII, nor for a header', () => {
    expect(lines(to('jürgen@bücher.example', 'ann@bücher.example'), { toAscii }).slice(1)).toEqual([
      'smtputf8',
      'RCPT TO:<ann@xn--bcher-kva.example>',
    ]);
    const utf8 = planTransaction(offering('8BITMIME'), to('ann@bücher.example'), { smtpUtf8: true }, { toAscii });
    expect(utf8.problem?.code).toBe('smtputf8');
  });

  test.each<[string, () => string | null]>([
    ['nothing', () => ''],
    ['null', () => null],
    ['what throws', () => new URL('no').host],
    ['UTF-8', () => 'bücher.example'],
    ['another command', () => 'b.example>\r\nRCPT TO:<c@d.example'],
    ['another address', () => 'b.example> NOTIFY=NEVER'],
    ['what is no text', () => 7 as never],
  ])('that gives %s leaves it refused', (_, given) => {
    expect(lines(to('ann@bücher.example'), { toAscii: given }).slice(1)).toEqual(['smtputf8']);
  });

  test('is counted among the domains of LIMITS as it is said', () => {
    const limited = offering('LIMITS RCPTDOMAINMAX=1');
    const plan = planTransaction(limited, to('a@bücher.example', 'b@xn--bcher-kva.example', 'c@d.example'), {}, { toAscii });
    expect(plan.recipients.map(({ batch }) => batch)).toEqual([0, 0, 1]);
  });
});

test('session.plan knows the domains that were asked for (RFC 9422 4.3)', () => {
  const session = new ClientSession({ hostname: 'a.example' });
  expect(() => session.plan(to('ann@b.example'))).toThrow(/before the answer to EHLO/);
  const say = (text: string): void => {
    session.receive(octets(`${text}\r\n`));
    while (session.nextOutput() !== null);
  };
  say('220 mx.example');
  say('250-mx.example\r\n250 LIMITS RCPTDOMAINMAX=1');
  const batches = (): number[] => session.plan(to('x@b.example', 'y@c.example')).recipients.map(({ batch }) => batch);
  expect(batches()).toEqual([0, 1]);
  session.send(to('z@c.example'), {});
  while (session.nextOutput() !== null);
  expect(batches()).toEqual([0, 1]);
  say('250 ok');
  expect(batches()).toEqual([1, 2]);
  expect(() => session.plan(to())).toThrow(/no recipients/);
});

describe('a plan', () => {
  test('declares what is offered and needed, and nothing else', () => {
    const all = offering('SIZE 1000', '8BITMIME', 'SMTPUTF8', 'BINARYMIME', 'CHUNKING');
    const mail = (facts: Parameters<typeof planTransaction>[2], options?: PlanOptions): string =>
      planTransaction(all, to('ann@b.example'), facts, options).mail;
    expect(mail({})).toBe('MAIL FROM:<joe@a.example> BODY=8BITMIME');
    expect(mail({ body: '7BIT', size: 9 })).toBe('MAIL FROM:<joe@a.example> SIZE=9');
    expect(mail({ body: '8BITMIME', smtpUtf8: true })).toBe('MAIL FROM:<joe@a.example> BODY=8BITMIME SMTPUTF8');
    expect(mail({ body: 'BINARYMIME' }, { chunking: true })).toBe('MAIL FROM:<joe@a.example> BODY=BINARYMIME');
    expect(planTransaction(offering(), to('ann@b.example'), { size: 9 }).mail).toBe('MAIL FROM:<joe@a.example>');
  });

  test.each([
    ['too-large', ['SIZE 100'], { size: 101 }],
    ['8bitmime', [], { body: '8BITMIME' }],
    ['binarymime', ['BINARYMIME', 'CHUNKING'], { body: 'BINARYMIME' }],
    ['smtputf8', ['8BITMIME'], { smtpUtf8: true }],
  ] as const)('%s stops the whole message', (code, lines, facts) => {
    const plan = planTransaction(offering(...lines), to('ann@b.example', 'bob@b.example'), facts);
    expect([plan.problem?.code, ...plan.recipients.map(({ problem }) => problem?.code)]).toEqual([code, code, code]);
  });

  test('SIZE 0, SIZE alone and SIZE that is no number are no limit', () => {
    for (const line of ['SIZE 0', 'SIZE', 'SIZE much']) {
      expect(planTransaction(offering(line), to('ann@b.example'), { size: 1e9 }).problem).toBe(null);
    }
  });

  test('recipients go to as many transactions as LIMITS asks for', () => {
    const envelope = to('a@x.example', 'b@x.example', 'c@y.example', 'd@X.example', 'e@z.example');
    const batches = (...limits: readonly string[]): number[] =>
      planTransaction(offering(`LIMITS ${limits.join(' ')}`), envelope).recipients.map(({ batch }) => batch);
    expect(batches('RCPTMAX=2')).toEqual([0, 0, 1, 1, 2]);
    expect(batches('RCPTDOMAINMAX=1')).toEqual([0, 0, 1, 2, 3]);
    expect(batches('RCPTDOMAINMAX=2', 'RCPTMAX=4')).toEqual([0, 0, 0, 0, 1]);
    expect(batches('RCPTMAX=0', 'RCPTDOMAINMAX=x')).toEqual([0, 0, 0, 0, 0]);
    expect(batches('RCPTDOMAINMAX=3', 'RCPTMAX=3')).toEqual([0, 0, 0, 1, 1]);
    // RFC 9422 4.3: "within a single session"
    const asked = { domains: new Set(['z.example']) };
    const plan = planTransaction(offering('LIMITS RCPTDOMAINMAX=1'), envelope, {}, asked);
    expect([plan.problem, plan.recipients.map(({ batch }) => batch)]).toEqual([null, [1, 1, 2, 3, 4]]);
    expect(asked.domains.size).toBe(1);
  });

  test('times keep to what the server announces, and to each other', () => {
    const offer = offering('DELIVERBY 60', 'FUTURERELEASE 600 2030-01-01T00:00:00Z');
    const problem = (parameters: NonNullable<ClientEnvelope['parameters']>, capabilities = offer): string | undefined =>
      planTransaction(capabilities, { ...to('ann@b.example'), parameters }, {}, { parameters: PARAMETERS }).problem?.code;
    expect(problem({ by: { seconds: 60, mode: 'R', trace: false } })).toBe(undefined);
    expect(problem({ by: { seconds: 59, mode: 'R', trace: false } })).toBe('parameter');
    expect(problem({ by: { seconds: 1, mode: 'N', trace: false } })).toBe(undefined);
    expect(problem({ by: { seconds: 1, mode: 'R', trace: false } }, offering('DELIVERBY'))).toBe(undefined);
    expect(problem({ holdFor: 600 })).toBe(undefined);
    expect(problem({ holdFor: 601 })).toBe('parameter');
    expect(problem({ holdUntil: '2030-01-01T01:00:00+01:00' })).toBe(undefined);
    expect(problem({ holdUntil: '2030-01-01T00:00:01Z' })).toBe('parameter');
    expect(problem({ holdFor: 60, by: { seconds: 61, mode: 'R', trace: false } })).toBe(undefined);
    expect(() => problem({ holdFor: 60, by: { seconds: 60, mode: 'R', trace: false } })).toThrow(/BY/);
    expect(() => problem({ holdFor: 60, holdUntil: '2029-01-01T00:00:00Z' })).toThrow(/HOLDUNTIL/);
    expect(problem({ holdFor: 60 }, offering('DELIVERBY'))).toBe('extension');
  });

  test('what requires TLS is sent to a verified server alone, which promises to require it, too', () => {
    const envelope = { ...to('ann@b.example'), parameters: { requireTls: true } } as const;
    const problems = (capabilities: Capabilities, verified: boolean): readonly (string | undefined)[] => {
      const { problem } = planTransaction(capabilities, envelope, {}, { parameters: PARAMETERS, verified });
      return [problem?.code, problem?.enhanced];
    };
    const secure = offering('REQUIRETLS');
    expect(problems(secure, true)).toEqual([undefined, undefined]);
    expect(problems(secure, false)).toEqual(['unprotected', '5.7.10']);
    expect(problems({ ...secure, tls: false }, true)).toEqual(['unprotected', '5.7.10']);
    expect(problems(offering('DSN'), true)).toEqual(['requiretls', '5.7.30']);
  });

  test('parameters are written where their extension is offered, and are a problem where it is not', () => {
    const envelope: ClientEnvelope = {
      reversePath: '',
      parameters: { ret: 'HDRS', envid: 'a b', mtPriority: 3 },
      recipients: [
        { forwardPath: 'ann@b.example', parameters: { notify: ['FAILURE'], orcpt: { type: 'rfc822', address: 'ann@b.example' } } },
      ],
    };
    const plan = planTransaction(offering('DSN', 'MT-PRIORITY'), envelope, {}, { parameters: PARAMETERS });
    expect([plan.mail, plan.recipients[0]!.line]).toEqual([
      'MAIL FROM:<> RET=HDRS ENVID=a+20b MT-PRIORITY=3',
      'RCPT TO:<ann@b.example> NOTIFY=FAILURE ORCPT=rfc822;ann@b.example',
    ]);
    expect(planTransaction(offering('DSN'), envelope, {}, { parameters: PARAMETERS }).problem?.text).toMatch(/MT-PRIORITY/);
    expect(() => planTransaction(offering('DSN'), envelope)).toThrow(/option parameters/);
  });

  test.each([
    ['a@b> ORCPT=x'],
    ['a@b\r\nRSET'],
    ['a b@c.example'],
    ['@a,@b:c@d.example'],
    ['a@b@c.example'],
    ['Joe <joe@a.example>'],
    ['=?x?q?=40evil=3e?=foo@x (comment)'],
    [`${'a'.repeat(250)}@b.example`],
    [''],
  ])('%j is no recipient', (path) => {
    const plan = planTransaction(offering(), to('ann@b.example', path));
    const problem = { code: 'address', enhanced: '5.1.3', text: expect.stringMatching(/^the address can't be sent: "[ -~…]{0,130}"/) };
    expect(plan.recipients).toMatchObject([
      { line: 'RCPT TO:<ann@b.example>', problem: null },
      { line: '', problem },
    ]);
    expect(plan.problem).toBe(null);
  });

  test.each<[string, string, string]>([
    ['x@foo_bar.example', 'underscore-domain', 'an underscore in a domain'],
    ['x@example.net.', 'trailing-dot-domain', 'a domain that ends with a dot'],
    ['a@[X-y:z]', 'unregistered-literal-tag', 'an address literal whose tag is not registered'],
    [`x@${'b'.repeat(256)}`, 'long-path', 'a path of more than 256 octets'],
    [`${'a'.repeat(250)}@b.example`, 'long-path', 'a path of more than 256 octets'],
  ])('%j is a recipient only where %s may pass', (path, name, what) => {
    const refused = planTransaction(offering(), to(path)).recipients[0]!;
    expect([refused.line, refused.problem]).toEqual([
      '',
      { code: 'address', enhanced: '5.1.3', text: expect.stringMatching(new RegExp(` has ${what} \\(${name}\\)$`)) },
    ]);
    const taken = planTransaction(offering(), to(path), {}, { tolerate: ANYTHING }).recipients[0]!;
    expect([taken.line, taken.problem]).toEqual([`RCPT TO:<${path}>`, null]);
  });

  test.each<[Address, string]>([
    ['a..b@example.net', '"a..b"@example.net'],
    ['.a@example.net', '".a"@example.net'],
    [{ localPart: 'a..b', domain: 'example.net' }, '"a..b"@example.net'],
    [{ localPart: 'a b', domain: 'example.net' }, '"a b"@example.net'],
    [{ localPart: 'a"b', domain: 'example.net' }, String.raw`"a\"b"@example.net`],
    [{ localPart: 'Postmaster', domain: '' }, 'Postmaster'],
    [`${'a'.repeat(65)}@b.example`, `${'a'.repeat(65)}@b.example`],
  ])('%j is written %s', (forwardPath, written) => {
    const plan = planTransaction(offering(), { reversePath: '', recipients: [{ forwardPath }] });
    expect(plan.recipients).toMatchObject([{ line: `RCPT TO:<${written}>`, problem: null }]);
  });

  test('dots that are misplaced are sent as they stand where that may pass', () => {
    const tolerate = new Set<Deviation>(['misplaced-dot-local']);
    expect(planTransaction(offering(), to('a..b@c.example'), {}, { tolerate }).recipients[0]!.line).toBe('RCPT TO:<a..b@c.example>');
  });

  test.each<Address>(['a b@c.example', { localPart: 'a\r\nb', domain: 'c.example' }, 'x@foo_bar.example'])(
    'the sender %j is a problem of all',
    (reversePath) => {
      const plan = planTransaction(offering(), { ...to('ann@b.example', 'a b@c'), reversePath });
      const problem = { code: 'address', enhanced: '5.1.7', text: expect.stringMatching(/^the sender's address can't be sent: "/) };
      expect([plan.mail, plan.problem]).toEqual(['', problem]);
      expect(plan.recipients).toMatchObject([{ problem }, { problem }]);
    },
  );

  test('what is no address by its type is a mistake of the program', () => {
    for (const wrong of [undefined, null, 42, {}, { localPart: 'a' }]) {
      const recipients = [{ forwardPath: wrong as unknown as Address }];
      expect(() => planTransaction(offering(), { reversePath: '', recipients })).toThrow(expect.objectContaining({ code: 'bad-address' }));
    }
  });

  test.each([['"x@evil.test y"@good.test'], ['"<evil@e.test>"@a.example'], ['postmaster'], ['a@[IPv6:::1]']])(
    '%j is sent as it stands',
    (path) => {
      expect(planTransaction(offering(), to(path)).recipients[0]!.line).toBe(`RCPT TO:<${path}>`);
    },
  );
});

/** Octets that a session sends of a message, its final dot left out. */
function sent(message: string): string {
  const session = new ClientSession({ hostname: 'c.example' });
  const pull = (): string => {
    let text = '';
    for (let bytes = session.nextOutput(); bytes !== null; bytes = session.nextOutput()) text += latin1(bytes, 0, bytes.length);
    return text;
  };
  for (const reply of ['220 hi', '250-mx\r\n250 8BITMIME', '250 ok', '250 ok', '354 go']) {
    session.receive(octets(`${reply}\r\n`));
    if (session.canSend) session.send(to('ann@b.example'));
    pull();
  }
  session.write(octets(message));
  session.end();
  return pull().slice(0, -3);
}

describe('a scan', () => {
  const parts = fc.array(fc.constantFrom('\r', '\n', '\r\n', 'a', 'xyz', '\0', '\xe9', '\xc3\xa9', '\xf0\x9f\x98\x80', '\xed\xa0\x80'), {
    maxLength: 20,
  });

  test('finds the size that is sent, the longest line of it, and what it holds', () => {
    fc.assert(
      fc.property(parts, (parts) => {
        const message = parts.join('');
        const scan = scanMessage(octets(message));
        const wire = sent(message);
        const lines = wire.match(/[^\r\n]*\r\n/g) ?? [];
        expect(scan).toEqual({
          octets: message.length,
          size: wire.length,
          body: /[\x80-\xff]/.test(message) ? '8BITMIME' : '7BIT',
          smtpUtf8: isBeyondAsciiUtf8(wire.startsWith('\r\n') ? '' : wire.split('\r\n\r\n')[0]!),
          bareLineEnds: /\r(?!\n)|(?<!\r)\n/.test(message),
          bareCr: message.match(/\r(?!\n)/g)?.length ?? 0,
          bareLf: message.match(/(?<!\r)\n/g)?.length ?? 0,
          nul: message.split('\0').length - 1,
          longestLine: Math.max(0, ...lines.map((line) => line.length)),
        });
      }),
      { numRuns: 2000, seed: 20_260_101 },
    );
  });

  function isBeyondAsciiUtf8(header: string): boolean {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets(header)) !== header;
    } catch {
      return false;
    }
  }

  test('of a header with octets that are no UTF-8 does not ask for SMTPUTF8: they have no standard', () => {
    const scan = scanMessage(octets('Subject: h\xe9\r\n\r\nx\r\n'));
    expect([scan.smtpUtf8, scan.body]).toEqual([false, '8BITMIME']);
  });

  test('tells the size of what is sent as it is (RFC 3030 3)', () => {
    const scan = scanMessage(octets('a\nb\nc\n'));
    const capabilities = {
      verb: 'EHLO',
      name: '',
      tls: true,
      extensions: new Map(['CHUNKING', 'BINARYMIME'].map((name) => [name, []])),
    } as const;
    const extensions = new Map([...capabilities.extensions, ['SIZE', ['7']]]);
    const envelope = { reversePath: '', recipients: [{ forwardPath: 'a@b.example' }], parameters: { body: 'BINARYMIME' } } as const;
    const plan = planTransaction({ ...capabilities, extensions }, envelope, scan, { chunking: true });
    expect([plan.mail, plan.problem]).toEqual(['MAIL FROM:<> SIZE=6 BODY=BINARYMIME', null]);
  });

  test('does not care where the message is cut', () => {
    fc.assert(
      fc.property(parts, (parts) => {
        expect(scanMessage(parts.map(octets))).toEqual(scanMessage(octets(parts.join(''))));
      }),
      { seed: 20_260_101 },
    );
  });
});
