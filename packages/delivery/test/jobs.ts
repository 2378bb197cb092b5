// Jobs of every form.
import fc from 'fast-check';
import type { Job, Message, Recipient } from '../src/index.ts';

const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const reply = fc.record({ code: fc.integer({ min: 200, max: 559 }), lines: fc.array(fc.string(), { minLength: 1, maxLength: 3 }) });
const said = fc.record(
  { at: time, status: fc.constantFrom('4.4.1', '5.1.1'), category: fc.string(), host: fc.domain(), reply },
  { requiredKeys: ['at', 'status', 'category'] },
);
const word = fc.constantFrom('SUCCESS' as const, 'FAILURE' as const, 'DELAY' as const);
const recipient = fc.record(
  {
    address: fc.string({ unit: 'grapheme' }),
    state: fc.constantFrom('due' as const, 'relayed' as const, 'failed' as const, 'unknown' as const),
    notify: fc.oneof(fc.constant('NEVER' as const), fc.uniqueArray(word, { minLength: 1 })),
    orcpt: fc.record({ type: fc.constant('rfc822'), address: fc.string() }),
    last: said,
    told: fc.constant(true as const),
    unknown: fc.nat(3),
  },
  { requiredKeys: ['address', 'state'] },
);
const message = fc.record(
  {
    id: fc.uuid(),
    reversePath: fc.oneof(fc.constant(''), fc.emailAddress()),
    arrived: time,
    size: fc.nat(),
    body: fc.constantFrom('8BITMIME' as const, 'BINARYMIME' as const),
    tls: fc.constantFrom('required' as const, 'optional' as const),
    by: fc.record({ until: time, mode: fc.constantFrom('N' as const, 'R' as const) }),
    release: time,
    envid: fc.string(),
    auth: fc.constantFrom('', 'ann@example.org'),
  },
  { requiredKeys: ['id', 'reversePath', 'arrived', 'size'] },
);

export const job: fc.Arbitrary<Job> = fc
  .record(
    {
      version: fc.constant(1 as const),
      id: fc.uuid(),
      message,
      domain: fc.domain(),
      recipients: fc.array(recipient, { minLength: 1, maxLength: 5 }),
      due: time,
      tries: fc.nat(50),
      attempt: fc.nat(50),
      held: fc.constant(true as const),
    },
    { requiredKeys: ['version', 'id', 'message', 'domain', 'recipients', 'due'] },
  )
  .map((value) => value as Job & { message: Message; recipients: readonly Recipient[] });
