// An extension of a program's own, on both sides; the same on every runtime.

import { defineExtension } from '@ehlo/engine';
import { textCodec } from '@ehlo/grammar';
import { accept, type CallbackName, reject } from '@ehlo/node';
import { describe, expect, expectTypeOf } from 'vitest';
import { connect, serve } from './adapter.ts';
import { taking, test } from './fixture.ts';

const word = textCodec((text) => (/^[a-z]{1,20}$/.test(text) ? text : undefined), String);
const tenant = defineExtension({
  keyword: 'X-TENANT',
  spec: 'https://example.org/tenant',
  offer: () => ['v1'],
  parameters: [
    { command: 'MAIL', keyword: 'XTENANT', name: 'tenant', adds: 29, codec: word },
    { command: 'RCPT', keyword: 'XFOLDER', name: 'folder', adds: 29, codec: word },
  ],
  verbs: [{ verb: 'XQUOTA', phases: ['ready'] }],
});
/** One more, so that types of several are told apart. */
const urgent = defineExtension({
  keyword: 'X-URGENT',
  spec: 'none',
  offer: () => [],
  parameters: [
    {
      command: 'MAIL',
      keyword: 'XURGENT',
      name: 'urgent',
      adds: 10,
      codec: { parse: () => true as const, format: () => new Uint8Array(0) },
    },
  ],
});

describe.each([
  ['SMTP', { preset: 'mx' }, { protocol: 'smtp' }],
  ['LMTP', { preset: 'lmtp' }, { protocol: 'lmtp' }],
] as const)('%s', (_, { preset }, { protocol }) => {
  test('its parameters arrive typed, its verb is answered, and a client says both', async () => {
    const seen: unknown[] = [];
    const server = await serve(
      { port: 0, hostname: 'mx.example.org', preset, extensions: [tenant, urgent] },
      {
        mail({ parameters }) {
          expectTypeOf(parameters.tenant).toEqualTypeOf<string | undefined>();
          expectTypeOf(parameters.urgent).toEqualTypeOf<true | undefined>();
          // @ts-expect-error: of RCPT
          seen.push(parameters.folder);
          seen.push(parameters.tenant, parameters.urgent);
          return true;
        },
        rcpt({ parameters, envelope }) {
          expectTypeOf(parameters.folder).toEqualTypeOf<string | undefined>();
          expectTypeOf(envelope.parameters.tenant).toEqualTypeOf<string | undefined>();
          seen.push(parameters.folder, envelope.parameters.tenant);
          return true;
        },
        command({ verb, argument, envelope }) {
          expectTypeOf(verb).toEqualTypeOf<'XQUOTA'>();
          seen.push(verb, argument, envelope);
          return argument === 'ann' ? accept({ text: '3 of 10 MiB' }) : reject(550, '5.1.1', 'no such user');
        },
        async message({ envelope, body }) {
          expectTypeOf(envelope.recipients[0]!.parameters.folder).toEqualTypeOf<string | undefined>();
          await body.bytes();
          seen.push(envelope.parameters.tenant, ...envelope.recipients.map(({ parameters }) => parameters.folder));
          return true;
        },
      },
    );
    const client = await connect({ port: server.address.port, protocol, extensions: [tenant, urgent] });
    expect(client.capabilities.extensions.get('X-TENANT')).toEqual(['v1']);
    // Those of the preset are there, too.
    expect(client.capabilities.extensions.has('SIZE')).toBe(true);
    expect((await client.command('XQUOTA', 'ann')).lines).toEqual(['3 of 10 MiB']);
    expect((await client.command('xquota', 'bob')).code).toBe(550);
    const { outcomes } = await client.send(
      {
        reversePath: 'joe@client.example',
        parameters: { tenant: 'acme', urgent: true },
        recipients: [{ forwardPath: 'ann@mx.example.org', parameters: { folder: 'lists' } }, 'bob@mx.example.org'],
      },
      'Subject: hello\r\n\r\n',
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['accepted', 'accepted']);
    // @ts-expect-error: a text, by its type
    await expect(client.send({ reversePath: '', parameters: { tenant: 1 }, recipients: ['ann@mx.example.org'] }, '')).rejects.toMatchObject(
      {
        code: 'bad-parameter',
      },
    );
    await client.close();
    await server.close();
    expect(seen).toEqual([
      'XQUOTA',
      'ann',
      null,
      'XQUOTA',
      'bob',
      null,
      undefined,
      'acme',
      true,
      'lists',
      'acme',
      undefined,
      'acme',
      'acme',
      'lists',
      undefined,
    ]);
  });
});

test('a server that does not offer it hears nothing of it', async ({ start }) => {
  const server = await start({ message: taking });
  const client = await connect({ port: server.address.port, extensions: [tenant] });
  const { outcomes } = await client.send(
    { reversePath: '', parameters: { tenant: 'acme' }, recipients: ['ann@mx.example.org'] },
    'Subject: a\r\n\r\n',
  );
  expect(outcomes).toMatchObject([{ status: 'refused', stage: 'plan', problem: { code: 'extension' } }]);
  await expect(client.command('XQUOTA')).rejects.toMatchObject({ code: 'not-offered' });
  await client.close();
});

test('what its functions throw ends nothing, and is told', async ({ start, dial }) => {
  const told: (readonly [string, CallbackName])[] = [];
  const broken = defineExtension({
    keyword: 'X-BROKEN',
    spec: 'none',
    offer: ({ identity }) => {
      if (told.length === 0) throw new Error(`offer to ${identity}`);
      return [];
    },
    parameters: [
      {
        command: 'MAIL',
        keyword: 'XBROKEN',
        name: 'broken',
        adds: 20,
        codec: {
          parse(): string {
            throw new Error('parse');
          },
          format: () => new Uint8Array(0),
        },
      },
    ],
  });
  const server = await start({ error: (error, method) => told.push([(error as Error).message, method]) }, { extensions: ['SIZE', broken] });
  const wire = await dial(server);
  await wire.reply();
  expect(await wire.say('EHLO client.example')).not.toContain('X-BROKEN');
  expect(await wire.say('EHLO client.example')).toContain('X-BROKEN');
  expect(await wire.say('MAIL FROM:<> XBROKEN=a')).toMatch(/^501 /);
  expect(await wire.say('MAIL FROM:<>')).toMatch(/^250 /);
  expect(told).toEqual([
    ['offer to null', 'extension'],
    ['parse', 'extension'],
  ]);
});

test('a verb that nobody answers is a mistake of the program', async () => {
  const options = { port: 0, hostname: 'mx.example.org', preset: 'lmtp', extensions: [tenant] } as const;
  await expect(serve(options, { rcpt: () => true, message: taking })).rejects.toMatchObject({ code: 'missing-question' });
});
