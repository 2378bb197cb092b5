// What this host delivers by itself.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeliveryOutcome, Transaction } from '@ehlo/delivery';
import { describe, expect, onTestFinished, test } from 'vitest';
import { command, httpPost, lmtpSocket, type MailFolder, maildir, type OpenTransport } from '../../../src/outbound/index.ts';
import { withResolvers } from '../../world.ts';
import { broken, content, LOOSE, mx, open, order, TEXT, transaction, tryOpen, words } from '../harness.ts';

const RETURN_PATH = 'Return-Path: <ann@example.org>\r\n';
const failures: string[] = [];

function local(transport: OpenTransport): ReturnType<typeof open> {
  failures.length = 0;
  const failed = (error: unknown, what: string): void => void failures.push(`${what}: ${(error as Error).message}`);
  return open(order(0, LOOSE, { protocol: 'local', host: 'here', address: 'here' }), { local: { here: transport }, failed });
}

async function outcome(
  transport: OpenTransport,
  given: AsyncIterable<Uint8Array> = content(),
  to: Transaction = transaction(['joe@example.net']),
) {
  const session = await local(transport);
  const { outcomes, open: isOpen } = await session.send(to, given);
  expect(isOpen).toBe(true);
  return outcomes[0]!;
}

function said(one: DeliveryOutcome): string {
  const { reply = null } = one;
  return [one.status, reply?.code, reply?.enhanced, ...(reply?.lines ?? [])].filter((part) => part !== undefined).join(' ');
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ehlo-out-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a session offers what content may have, one recipient a time; whoever demands TLS is content', async () => {
  const session = await local(command({ argv: ['true'] }));
  expect(session.opened).toMatchObject({ tls: true, verified: true, extensions: { LIMITS: ['RCPTMAX=1'], BINARYMIME: [], SMTPUTF8: [] } });
  session.close();
  await session.ended;
});

test('a name that no transport has is the failure of that route', async () => {
  for (const host of ['gone', 'toString'])
    expect(await tryOpen(order(0, LOOSE, { protocol: 'local', host, address: host }))).toMatchObject({
      stage: 'connect',
      text: expect.stringContaining(host),
    });
});

describe('a mail directory', () => {
  function folders(fail: () => Error | null = () => null): { transport: OpenTransport; kept: Map<string, string[]>; opened: string[] } {
    const kept = new Map<string, string[]>();
    const opened: string[] = [];
    const openFolder = async (path: string): Promise<MailFolder> => {
      opened.push(path);
      const error = fail();
      if (error !== null && opened.length === 1) throw error;
      return {
        async store(_, octets) {
          let text = '';
          for await (const part of octets) text += Buffer.from(part).toString('latin1');
          const failure = fail();
          if (failure !== null) throw failure;
          kept.set(path, [...(kept.get(path) ?? []), text]);
        },
      };
    };
    return { transport: maildir({ path: '/mail/{domain}/{local}', open: openFolder }), kept, opened };
  }

  test('has each message in the folder of its recipient, with Return-Path in front (RFC 5321 4.4)', async () => {
    const { transport, kept, opened } = folders();
    for (const address of ['joe@example.net', 'Joe@EXAMPLE.net', '"../x"@example.net', 'joe@example.net'])
      expect(said(await outcome(transport, content(), transaction([address])))).toBe('accepted 250 2.0.0 Stored');
    const text = RETURN_PATH + TEXT;
    expect([...kept]).toEqual([
      ['/mail/example.net/joe', [text, text, text]],
      ['/mail/example.net/%2E.%2Fx', [text]],
    ]);
    expect(opened).toEqual(['/mail/example.net/joe', '/mail/example.net/%2E.%2Fx']);
  });

  test('keeps nothing of a message that breaks off, and nothing of an address without a name', async () => {
    const { transport, kept } = folders();
    expect(words([await outcome(transport, broken())])).toEqual(['refused 451']);
    expect(failures).toEqual(['local: not written down']);
    expect(said(await outcome(transport, content(), transaction([`${'ü'.repeat(60)}@example.net`])))).toMatch(/^refused 550 5\.1\.3/);
    expect(said(await outcome(transport, content(), transaction(['a@b.example'], { reversePath: 'a\r\nX: y@b' })))).toMatch(
      /^refused 550 5\.1\.3/,
    );
    expect(kept.size).toBe(0);
  });

  test.each([
    ['ENOSPC', 'refused 452 4.3.1 The disk is full'],
    ['EDQUOT', 'refused 452 4.2.2 The mailbox is full'],
    ['EACCES', 'refused 451 4.3.0 This host could not deliver the message'],
  ])('%s is for later, and the folder is opened again', async (code, expected) => {
    let times = 0;
    const { transport, opened } = folders(() => (times++ === 0 ? Object.assign(new Error(code), { code }) : null));
    expect(said(await outcome(transport))).toBe(expected);
    expect(said(await outcome(transport))).toBe('accepted 250 2.0.0 Stored');
    expect(opened).toHaveLength(2);
  });
});

describe('a command', () => {
  const script = (text: string): [string, ...string[]] => ['/bin/sh', '-c', text];

  test('has the message, the envelope in its environment, and names of the address as arguments, one each', async () => {
    const place = join(folder(), 'out');
    const print = join(folder(), 'print.cjs');
    writeFileSync(print, PRINT);
    const argv = [process.execPath, print, place, '{local}', '--to={address}', '$HOME `id` {domain}'] as const;
    const to = transaction(['"-x ../y;z"@Example.net']);
    process.env.EHLO_SECRET = 'x';
    onTestFinished(() => {
      delete process.env.EHLO_SECRET;
    });
    expect(said(await outcome(command({ argv, env: { MORE: '1' } }), content(), to))).toBe('accepted 250 2.0.0 Delivered: the last line');
    const { args, env, text } = JSON.parse(readFileSync(place, 'utf8'));
    expect(args).toEqual(['%2Dx%20..%2Fy%3Bz', '--to=%2Dx%20..%2Fy%3Bz@example.net', '$HOME `id` example.net']);
    expect(env).toEqual({
      MORE: '1',
      SENDER: 'ann@example.org',
      RECIPIENT: '"-x ../y;z"@Example.net',
      DELIVERY_KEY: 'j/0',
      PATH: process.env.PATH,
    });
    expect(text).toBe(RETURN_PATH + TEXT);
  });

  test.each([
    [0, 'accepted 250 2.0.0'],
    [1, 'refused 451 4.3.0'],
    [64, 'refused 554 5.3.5'],
    [65, 'refused 554 5.6.0'],
    [67, 'refused 550 5.1.1'],
    [71, 'refused 451 4.3.0'],
    [75, 'refused 451 4.3.0'],
    [77, 'refused 550 5.7.0'],
    [127, 'refused 451 4.3.0'],
  ])('exit %i: %s, and why', async (code, expected) => {
    // It reads nothing.
    const one = said(await outcome(command({ argv: script(`echo first; echo "so it is" >&2; exit ${code}`) }), long()));
    expect(one.startsWith(expected)).toBe(true);
    expect(one).toMatch(/so it is|first$/);
  });

  test('ended by a signal is for later; one that is not there, too, and told', async () => {
    expect(said(await outcome(command({ argv: script('kill -TERM $$') })))).toMatch(
      /^refused 451 4\.3\.0 The command was ended by SIGTERM/,
    );
    expect(said(await outcome(command({ argv: ['/nowhere/program'] })))).toMatch(/^refused 451/);
    expect(failures[0]).toContain('ENOENT');
  });

  test('that runs too long is killed, with what it has started: nobody knows, where it had the whole message', async () => {
    const place = join(folder(), 'pid');
    const argv = script(`cat >/dev/null; sleep 1000 & echo $! > ${place}; wait`);
    // Long enough for it to have begun.
    for (let timeout = 500; !existsSync(place); timeout *= 4)
      expect(words([await outcome(command({ argv, timeout }))])[0]).toMatch(/^unknown|451$/);
    expect(await outcome(command({ argv: script('cat >/dev/null; sleep 1000'), timeout: 5000 }))).toEqual({
      status: 'unknown',
      reply: null,
    });
    const pid = Number(readFileSync(place, 'utf8'));
    expect(pid).toBeGreaterThan(1);
    await expect.poll(() => isAlive(pid), { timeout: 30_000 }).toBe(false);
    expect(said(await outcome(command({ argv: script('sleep 1000'), timeout: 300 }), long()))).toMatch(/^refused 451 .* took too long/);
  });

  test('sees no end of a message that breaks off', async () => {
    const place = join(folder(), 'end');
    const argv = script(`cat >/dev/null; echo end > ${place}`);
    expect(words([await outcome(command({ argv }), broken())])).toEqual(['refused 451']);
    expect(failures).toEqual(['local: not written down']);
    writeFileSync(`${place}.other`, '');
    expect(() => readFileSync(place)).toThrow('ENOENT');
  });

  test('with braces that name nothing is wrong at once', () => {
    expect(() => command({ argv: ['x', '{user}'] })).toThrow('{user}');
  });
});

describe('a POST', () => {
  function endpoint(answer: (request: IncomingMessage, response: ServerResponse, text: string) => void): Promise<string> {
    return listening((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (more) => {
        text += more;
      });
      request.on('end', () => answer(request, response, text));
    });
  }

  async function listening(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as { port: number }).port}/in`;
  }

  test('has the message, and the envelope in its header', async () => {
    const requests: unknown[] = [];
    const url = await endpoint(({ method, url: path, headers }, response, text) => {
      requests.push({ method, path, headers, text });
      response.writeHead(202).end('queued');
    });
    const to = transaction(['jörg+x@example.net']);
    expect(said(await outcome(httpPost({ url, headers: { Authorization: 'Bearer t' } }), content(), to))).toBe(
      'accepted 250 2.0.0 HTTP 202',
    );
    expect(requests).toMatchObject([
      {
        method: 'POST',
        path: '/in',
        text: RETURN_PATH + TEXT,
        headers: {
          authorization: 'Bearer t',
          'content-type': 'message/rfc822',
          'ehlo-sender': 'ann%40example.org',
          'ehlo-recipient': 'j%C3%B6rg%2Bx%40example.net',
          'idempotency-key': 'j%2F0',
        },
      },
    ]);
  });

  test.each([
    [204, 'accepted 250 2.0.0'],
    [301, 'refused 451 4.3.5'],
    [400, 'refused 451 4.3.5'],
    [401, 'refused 451 4.3.5'],
    [404, 'refused 451 4.3.5'],
    [410, 'refused 550 5.1.1'],
    [413, 'refused 552 5.3.4'],
    [422, 'refused 554 5.6.0'],
    [429, 'refused 451 4.3.2'],
    [500, 'refused 451 4.3.0'],
    [503, 'refused 451 4.3.2'],
    [507, 'refused 452 4.3.1'],
  ])('%i: %s', async (status, expected) => {
    const paths: (string | undefined)[] = [];
    const url = await endpoint((request, response) => {
      paths.push(request.url);
      response.writeHead(status, { Location: '/other' }).end();
    });
    expect(said(await outcome(httpPost({ url })))).toBe(`${expected} HTTP ${status}`);
    expect(paths).toEqual(['/in']);
  });

  test('without an answer: nobody knows, where the message has left whole', async () => {
    const silent = await endpoint(() => {});
    expect(await outcome(httpPost({ url: silent, timeout: 5000 }))).toEqual({ status: 'unknown', reply: null });
    const leaving = await endpoint(({ socket }) => socket.destroy());
    expect(await outcome(httpPost({ url: leaving }))).toEqual({ status: 'unknown', reply: null });
  });

  test('that nobody takes is for later', async () => {
    for (const one of [content(), long()])
      expect(said(await outcome(httpPost({ url: 'http://127.0.0.1:1/?token=secret' }), one))).toBe('refused 451 4.4.1 No answer');
    expect(failures.every((failure) => failure.startsWith('http: '))).toBe(true);
  });

  test('of a message that breaks off has no end', async () => {
    let ended = 0;
    const url = await endpoint((_, response) => {
      ended++;
      response.end();
    });
    expect(words([await outcome(httpPost({ url }), broken())])).toEqual(['refused 451']);
    expect([failures, ended]).toEqual([['local: not written down'], 0]);
  });

  test('is not delivered by a yes that comes before its end', async () => {
    const url = await listening((request, response) => {
      request.resume();
      response.writeHead(200).end();
    });
    const released = withResolvers();
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield* content();
      await released.promise;
    }
    expect(said(await outcome(httpPost({ url }), slow()))).toBe('refused 451 4.4.2 It was answered before its end');
    released.resolve();
  });

  test('has no user in its URL', () => {
    expect(() => httpPost({ url: 'https://joe:secret@hooks.example/' })).toThrow(/^the URL has a user in it: that is for `headers`$/);
  });

  test('goes by http or https alone; in clear to another host it is no protection', async () => {
    expect(() => httpPost({ url: 'file:///etc/passwd' })).toThrow('neither');
    expect((await local(httpPost({ url: 'http://hooks.example/' }))).opened).toMatchObject({ tls: false, verified: false });
    expect((await local(httpPost({ url: 'https://hooks.example/' }))).opened).toMatchObject({ tls: true, verified: true });
  });
});

test('LMTP by a Unix socket', async () => {
  const path = join(folder(), 'lmtp');
  const { taken } = await mx({ preset: 'lmtp', path, port: undefined } as object, { rcpt: () => true });
  const session = await local(lmtpSocket({ path }));
  const { outcomes } = await session.send(transaction(['a@example.net', 'b@example.net']), content());
  expect(words(outcomes)).toEqual(['accepted 250', 'accepted 250']);
  expect(taken).toMatchObject([{ text: TEXT }]);
});

/** Prints what it has into the file that is its first argument. */
const PRINT = `
  const [place, ...args] = process.argv.slice(2);
  let text = '';
  process.stdin.on('data', (more) => { text += more; });
  process.stdin.on('end', () => {
    require('fs').writeFileSync(place, JSON.stringify({ args, env: process.env, text }));
    console.log('a line\\nthe last line');
  });
`;

/** More than a pipe holds. */
function long(): AsyncIterable<Uint8Array> {
  return content(TEXT + 'x'.repeat(3_000_000));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie that nobody has waited for is no process any more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
