// `ehlo serve --web`: the page is there with the server, shows what it takes, and its stubs are the server's.
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { Client, test } from './cli.ts';

const get = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T;

test('a mail is there when it has come, with its conversation and its outcome', async ({ run }) => {
  const cli = run(['--web', '0', '--keep', '2']);
  const port = await cli.port();
  const [, url = ''] = /^page on (http:\S+)$/.exec(await cli.line(/^page on/))!;
  const waiting = get<{ id: string; session: number }>(`${url}api/mails/wait?subject=hello&within=60000`);
  const client = new Client(port);
  await client.data();
  const reply = await client.say('Subject: hello\r\n\r\n.. a dot\r\n.');
  const { id, session } = await waiting;
  interface Shown {
    readonly outcome: string | null;
    readonly text: string;
    readonly explanation: { readonly trace: { readonly hops: readonly unknown[] } };
  }
  const mail = await vi.waitFor(async () => {
    const one = await get<Shown>(`${url}api/mails/${id}`);
    expect(one.outcome).not.toBeNull();
    return one;
  });
  expect([mail.outcome, mail.text, mail.explanation.trace.hops.length]).toEqual([reply, '. a dot\r\n', 1]);
  const { conversation, phase } = await get<{ conversation: { text: string; phase: string }[]; phase: string }>(
    `${url}api/sessions/${session}`,
  );
  expect(phase).toBe('ready');
  expect(conversation.map(({ text, phase }) => `${phase} ${text}`)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^data 354 /), `ready ${reply}`]),
  );
  expect((await get<{ listening: string[] }>(`${url}api/info`)).listening).toEqual([`127.0.0.1:${port}`]);
});

test('a stub that is made there refuses what comes next, once', async ({ run }) => {
  const cli = run(['--web', '0', '--json']);
  const port = await cli.port();
  const { url } = (await cli.event('web')) as unknown as { url: string };
  const body = JSON.stringify({ on: 'mail', do: { reply: { code: 450, enhanced: '4.2.1', text: 'Not now' } }, times: 1 });
  expect((await fetch(`${url}api/stubs`, { method: 'POST', body })).status).toBe(201);
  const client = new Client(port);
  await client.reply();
  await client.say('EHLO client.example');
  expect(await client.say('MAIL FROM:<ann@example.org>')).toBe('450 4.2.1 Not now');
  expect(await client.say('MAIL FROM:<ann@example.org>')).toMatch(/^250 /);
  expect((await get<{ stubs: { fired: number }[] }>(`${url}api/stubs`)).stubs).toMatchObject([{ fired: 1 }]);
});

test('the queue of a relay is shown, and operated only where that is said', async ({ run, folder }) => {
  const { Dispatcher, deliverySettings, newJob } = await import('@ehlo/delivery');
  const { MemoryQueue, Runner, wallClock } = await import('@ehlo/relay');
  const { control } = await import('@ehlo/relay/control');
  const hostname = 'mx.example.org';
  const queue = new MemoryQueue(wallClock);
  const message = { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 0 };
  await queue.put([{ ...newJob('j1', message, 'example.net', [{ address: 'joe@example.net' }]), held: true }], []);
  const means = {
    queue,
    schedule: wallClock,
    lookUp: async () => ({ status: 'failed', security: 'indeterminate', ttl: 0 }) as const,
    fetchPolicy: async () => ({ text: null }),
    open: async () => ({ stage: 'connect' }) as const,
    boundary: () => 'b',
    failed: () => {},
  };
  const runner = new Runner(new Dispatcher(deliverySettings({ hostname }), () => 0), means, { hostname });
  const socket = join(folder, 'control.sock');
  const open = await control({ queue, runner: () => runner, socket, hostname });
  try {
    const page = async (...options: string[]): Promise<string> => {
      const cli = run(['--web', '0', '--web-queue', socket, '--maildir', join(folder, `mail${options.length}`), ...options]);
      return /^page on (http:\S+)$/.exec(await cli.line(/^page on/))![1]!;
    };
    const [looking, operating] = [await page(), await page('--web-queue-operate')];
    expect(await get(`${looking}api/queue/jobs`)).toMatchObject({
      jobs: [{ id: 'j1', state: 'held', to: 'joe@example.net' }],
      more: false,
    });
    expect(await get(`${looking}api/queue/jobs/j1`)).toMatchObject({
      recipients: [{ steps: [{ text: 'An operator has it held: nothing is done until it is released.' }] }],
    });
    expect((await fetch(`${looking}api/queue/jobs/j1/release`, { method: 'POST' })).status).toBe(403);
    expect(await (await fetch(`${operating}api/queue/jobs/j1/release`, { method: 'POST' })).json()).toEqual({ id: 'j1', result: 'done' });
    expect(await get(`${operating}api/queue`)).toMatchObject({ operable: true, status: { hostname, queue: { due: 1, held: 0 } } });
    await open.close();
    expect((await fetch(`${looking}api/queue`)).status).toBe(502);
  } finally {
    await open.close();
  }
});

test('options of the queue need what they are about', async ({ run }) => {
  const alone = run(['--web', '0', '--web-queue-operate']);
  expect([await alone.exited, alone.errors]).toEqual([2, 'ehlo: --web-queue-operate needs a queue: give --web-queue, too\n']);
  const stray = run(['--web-queue', '/run/x']);
  expect([await stray.exited, stray.errors]).toEqual([2, 'ehlo: --web-queue is of the page: give --web, too\n']);
});

test('a mail is passed on to the server of --release alone, without its Return-Path', async ({ run, folder, stored }) => {
  const other = run(['--raw']);
  const port = await other.port();
  const cli = run(['--web', '0', '--release', `127.0.0.1:${port}`, '--maildir', join(folder, 'first')]);
  const client = new Client(await cli.port());
  const [, url = ''] = /^page on (http:\S+)$/.exec(await cli.line(/^page on/))!;
  await client.data();
  await client.say('Subject: hello\r\n\r\ntext\r\n.');
  const { id } = await get<{ id: string }>(`${url}api/mails/wait?within=60000`);
  const told = await fetch(`${url}api/mails/${id}/release`, { method: 'POST', body: JSON.stringify({ to: ['eve@example.org'] }) });
  expect(await told.json()).toEqual({
    outcomes: [{ recipient: 'eve@example.org', status: 'accepted', reply: expect.stringMatching(/^250 /) }],
  });
  await other.line(/^\[1\] C: RCPT TO:<eve@example\.org>/);
  await other.line(/^\[1\] stored/);
  const [message = ''] = [...stored().values()].map(String);
  expect(message).toMatch(/^Received: .*Subject: hello\r\n\r\ntext\r\n$/s);
  expect(message).not.toContain('Return-Path');
});

test('what can not be is told at once', async ({ run }) => {
  const told = async (...args: string[]): Promise<string> => {
    const cli = run(args);
    expect(await cli.exited).toBe(2);
    return cli.errors;
  };
  expect(await told('--web', '0', '--web-host', '0.0.0.0')).toContain('a user and a password are needed');
  expect(await told('--web', '0', '--web-user', 'ann')).toContain('set EHLO_WEB_PASSWORD, or give --web-password-file');
  expect(await told('--release', 'mx.example')).toContain('--release is of the page: give --web, too');
  expect(await told('--web', '0', '--max-age', 'soon')).toContain("such as '12 h' or '7 days'");
});

test('a port that is taken is told with the option that chooses another', async ({ run }) => {
  const first = run(['--web', '0']);
  const [, url = ''] = /^page on (http:\S+)$/.exec(await first.line(/^page on/))!;
  const second = run(['--web', new URL(url).port]);
  expect(await second.exited).toBe(2);
  expect(second.errors).toContain('is in use; choose another with --web');
});
