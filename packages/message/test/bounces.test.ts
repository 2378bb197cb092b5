// Reports as mail systems write them, and mail that is none: test-vectors/message/bounces.json.
import { readFileSync } from 'node:fs';
import { octets } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import { fieldValue, isNamed } from '../src/index.ts';
import { type DeliveryReport, type RecipientStatus, type Report, ReportReader, readReport, type Typed } from '../src/report.ts';
import { REPORT_DEVIATIONS } from '../src/words.ts';

interface Letter {
  readonly name: string;
  readonly message: readonly string[];
  readonly lineEnd?: string;
}
interface Bounce extends Letter {
  readonly says: unknown;
  readonly deviations: readonly string[];
}

const url = new URL('../../../test-vectors/message/bounces.json', import.meta.url);
const { bounces, others } = JSON.parse(readFileSync(url, 'utf8')) as {
  readonly bounces: readonly Bounce[];
  readonly others: readonly Letter[];
};

const octetsOf = ({ message, lineEnd = '\r\n' }: Letter): Uint8Array => octets(message.join(lineEnd));
const spelled = (value: Typed | undefined): string | undefined => value && `${value.type}; ${value.text}`;
const at = (time: number | undefined): string | undefined => (time === undefined ? undefined : new Date(time).toISOString());
const defined = (all: object): object => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));

/** A report as the vectors say it. */
function said({ type, action, recipients, original, ...message }: DeliveryReport): object {
  const { reportingMta, envelopeId, gateway, receivedFromMta, arrival, extensions } = message;
  const fields = {
    envelopeId,
    reportingMta: spelled(reportingMta),
    gateway: spelled(gateway),
    receivedFromMta: spelled(receivedFromMta),
    arrival: at(arrival),
    extensions,
  };
  return { type, action, ...defined(fields), recipients: recipients.map(saidOf), original: original?.part ?? null };
}

function saidOf({
  originalRecipient,
  finalRecipient,
  remoteMta,
  diagnostic,
  lastAttempt,
  willRetryUntil,
  ...rest
}: RecipientStatus): object {
  const typed = { originalRecipient, finalRecipient, remoteMta, diagnostic };
  const fields = Object.fromEntries(Object.entries(typed).map(([name, value]) => [name, spelled(value)]));
  return defined({ ...fields, lastAttempt: at(lastAttempt), willRetryUntil: at(willRetryUntil), ...rest });
}

function readIn(bytes: Uint8Array, size: number): Report | null {
  const reader = new ReportReader();
  for (let i = 0; i < bytes.length; i += size) {
    const chunk = bytes.slice(i, i + size);
    reader.push(chunk);
    chunk.fill(0x2a);
  }
  return reader.end();
}

describe.each(bounces.map((one): [string, Bounce] => [one.name, one]))('%s', (_, bounce) => {
  test('says what is told of each recipient, and what is odd about it', () => {
    const report = readReport(octetsOf(bounce)) as DeliveryReport;
    expect(report).not.toBeNull();
    expect(said(report)).toEqual(bounce.says);
    expect(report.deviations).toEqual(bounce.deviations);
    expect(report.text).not.toBe('');
    if (report.original === null) return;
    const id = report.original.fields.find((field) => isNamed(field, 'Message-ID'));
    expect(id && fieldValue(id)).toBe('<m1@example.org>');
  });

  test('does so in pieces of any size', () => {
    const bytes = octetsOf(bounce);
    const whole = JSON.stringify(readReport(bytes));
    for (const size of [1, 2, 3, 7, 64]) expect(JSON.stringify(readIn(bytes, size))).toBe(whole);
    for (let cut = 0; cut < bytes.length; cut++) {
      const reader = new ReportReader();
      reader.push(bytes.slice(0, cut));
      reader.push(bytes.slice(cut));
      if (JSON.stringify(reader.end()) !== whole) expect(`cut at ${cut}`).toBe('no difference');
    }
  });
});

test.each(others.map((one): [string, Letter] => [one.name, one]))('%s is no report', (_, letter) => {
  const bytes = octetsOf(letter);
  expect(readReport(bytes)).toBeNull();
  for (let size = 1; size <= 40; size++) expect(readIn(bytes, size)).toBeNull();
});

test('the corpus is large, and shows every deviation of a delivery report', () => {
  expect(bounces.length).toBeGreaterThanOrEqual(40);
  expect(others.length).toBeGreaterThanOrEqual(10);
  const shown = new Set(bounces.flatMap(({ deviations }) => deviations));
  const missing = Object.keys(REPORT_DEVIATIONS).filter((name) => !shown.has(name));
  // Of complaints, and of limits.
  expect(missing).toEqual(['cut', 'no-feedback-type', 'no-user-agent']);
});
