// What a server or a client may call itself: RFC 5321 4.1.2 and 4.1.3. A session that would say anything else is not made.
import { expect, test } from 'vitest';
import { ClientSession, ServerSession } from '../src/index.ts';

test.each([
  ['an underscore', 'my_host.example'],
  ['a letter beyond ASCII', 'zürich.example'],
  ['a hyphen at the end of a label', 'mx-.example'],
  ['a control character', 'mx\0.example'],
  ['a number above 255', '[192.0.2.256]'],
  ['IPv6 without its tag', '[2001:db8::1]'],
  ['more groups of IPv6 than there are', '[IPv6:1:2:3:4:5:6:7::8]'],
  ['a tag that is not registered', '[x400:c=us]'],
  ['a name and more', 'mx.example and more'],
  ['an address without its brackets', '127.0.0.1'],
  ['a last label of digits', 'mx.example.1'],
  ['a number', '1'],
])('no host is named by %s', (_, hostname) => {
  const misuse = expect.objectContaining({ name: 'SmtpUsageError', code: 'bad-hostname' });
  expect(() => new ServerSession({ hostname, preset: 'sink' })).toThrow(misuse);
  expect(() => new ClientSession({ hostname })).toThrow(misuse);
});

test.each(['mx.example.org', 'localhost', '[192.0.2.1]', '[IPv6:2001:db8::1]', '[ipv6:::192.0.2.1]'])('%s may name a host', (hostname) => {
  expect(new ServerSession({ hostname, preset: 'sink' }).phase).toBe('connect');
  expect(new ClientSession({ hostname }).phase).toBe('connect');
});
