// A relay that is looked at: its control socket and its metrics, as the configuration says.
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readOpenMetrics } from '../openmetrics-reader.ts';
import { config, folder, sink, start, Talk, until } from './harness.ts';

function ask(options: object): Promise<string> {
  return new Promise((done, failed) => {
    request({ ...options, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.on('end', () => done(text)).on('error', failed);
    })
      .on('error', failed)
      .end();
  });
}

test('the life of a message is in its log, its queue can be looked at, and it is counted', async () => {
  const { port, taken } = await sink();
  const socket = join(folder({}), 'control.sock');
  const rig = await start({
    routes: [{ to: 'host', domains: ['*'], hosts: ['127.0.0.1'], port, tls: 'clear' }],
    control: { socket, metrics: 0 },
  });
  const { metrics } = (await rig.logged('control')) as { readonly metrics: number };
  const talk = await Talk.to(rig.port('mx'));
  expect(await talk.send('may@example.net', ['ann@example.org'])).toEqual(['accepted 250 2.6.0']);
  await until(() => taken.length === 1);
  expect(await rig.logged('outcome')).toMatchObject({ to: 'ann@example.org', state: 'relayed', host: '127.0.0.1' });
  const { message } = (await rig.logged('final')) as { readonly message: string };
  expect(await rig.logged('put')).toMatchObject({ message, from: 'may@example.net' });
  expect(await rig.logged('attempt')).toMatchObject({ message, to: ['ann@example.org'] });
  const status = JSON.parse(await ask({ socketPath: socket, path: '/v1/status' })) as object;
  expect(status).toMatchObject({ hostname: 'mx.example.org', state: 'running', queue: { held: 0 } });
  const families = readOpenMetrics(await ask({ host: '127.0.0.1', port: metrics, path: '/metrics' }));
  const value = (name: string): unknown => families.flatMap(({ samples }) => samples).find((one) => one.name === name)?.value;
  expect([value('ehlo_messages_total'), value('ehlo_clients_open')]).toEqual([1, 1]);
});

test('a socket that can not be had leaves nothing open', async () => {
  const socket = join(folder({ 'control.sock': '' }), 'control.sock');
  await expect(start({ control: { socket } })).rejects.toThrow(/is no socket/);
});

test('another control takes a restart', async () => {
  const socket = join(folder({}), 'control.sock');
  const rig = await start({ control: { socket } });
  await expect(rig.relay.reload(config({ control: { socket: `${socket}.other` } }))).rejects.toThrow(/takes a restart/);
});
