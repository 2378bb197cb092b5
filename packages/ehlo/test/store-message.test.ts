// What a client is told when its message can't be stored.
import { expect, test, vi } from 'vitest';
import type { IncomingMessage, Session } from '../src/index.ts';
import type { Maildir } from '../src/maildir.ts';
import { quietPrinter } from '../src/printer.ts';
import { storeMessage } from '../src/store-message.ts';

const message = { envelope: { reversePath: null, recipients: [], parameters: {} } } as unknown as IncomingMessage;
const session = { protocol: 'ESMTP', peer: { address: '', port: 0 } } as unknown as Session;

/** A disk that fails so. */
const failing = (code: string) => ({
  maildir: { store: vi.fn(() => Promise.reject(Object.assign(new Error(code), { code }))) } as unknown as Maildir,
  printer: quietPrinter(() => {}),
  name: 'mx.example.org',
  raw: true,
  hops: 100,
});

test.each(['ENOSPC', 'EDQUOT', 'EFBIG'])('%s: there is no room, for now (RFC 5321 4.2.2)', async (code) => {
  await expect(storeMessage(message, session, failing(code))).rejects.toMatchObject({ code: 452, enhanced: '4.3.1' });
});

test('any other failure is ours, and is shown to nobody else', async () => {
  await expect(storeMessage(message, session, failing('EIO'))).rejects.toMatchObject({ code: 'EIO' });
});
