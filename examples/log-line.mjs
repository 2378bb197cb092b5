// Commands as they stand in a log, read with what is wrong or unknown about each. `node examples/log-line.mjs`, or by Deno or Bun.
import { DIALECT, latin1, POSTEL, parseCommand } from '@ehlo/grammar';

const LOG = [
  '09:00:01 C: MAIL FROM:<joe@example.org>  SIZE=1000 XVERP',
  '09:00:02 C: RCPT TO:<ann@example.net> NOTIFY=NEVER XRULE=7 XFLAG',
  '09:00:03 C: RCPT TO: <bob@example.net>',
  '09:00:04 C: RCPT TO:<eve@>',
];

/** Deviations that real senders show are taken and named; parameters that nobody here knows are kept. */
const dialect = { ...DIALECT, tolerate: POSTEL, keepUnknown: true };

for (const entry of LOG) {
  const [, line] = entry.split(' C: ');
  const read = parseCommand(line, dialect);
  if (!read.ok) {
    console.log(`wrong at octet ${read.offset}: ${read.message} (${read.rule}, ${read.section})`);
    continue;
  }
  const { verb, parameters, reversePath, forwardPath } = read.value;
  const { unknown = [], ...known } = parameters;
  // A value is octets, and null where there is none.
  const others = unknown.map(({ keyword, value }) => (value?.length ? `${keyword}=${latin1(value, 0, value.length)}` : keyword));
  const path = verb === 'MAIL' ? reversePath : forwardPath;
  console.log(verb, path.address, JSON.stringify(known), `unknown: ${others}`, `deviations: ${read.deviations}`);
}
