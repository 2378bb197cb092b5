// Reports in each format: what a hostile server says stays text.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { SCRIPT, SCRIPT_HASH } from '../src/formats/page.ts';
import { FORMATS } from '../src/formats.ts';
import { countsOf, type Finding, fails, reportOf } from '../src/index.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** All octets but those that end lines, and what means something in a terminal, in XML, HTML and Markdown. */
const HOSTILE = `${Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join('')}\x1b[2J</pre></details><script>alert(1)</script>]]>--><img src=x onerror=alert(1)>&lt;" onload="x" ' \`\`\`\`\n# heading | cell [a](javascript:x)\r\n`;
const FINDINGS: readonly Finding[] = (['violates', 'inconclusive', 'permitted', 'conforms', 'skipped'] as const).map((verdict) => ({
  id: `check-${verdict}`,
  title: 'What holds where the check is passed.',
  verdict,
  because: verdict === 'conforms' ? null : `RCPT is answered by 550 ${HOSTILE}`,
  section: 'RFC 5321 4.1.4',
  requirements: [
    { id: '5321-4.1.4-18', section: 'RFC 5321 4.1.4', level: 'MUST', statement: 'Out-of-order commands get 503 & no state change' },
  ],
  expected: '503',
  seen: `550 ${HOSTILE}`,
  dialogue: [
    { from: 'client', text: 'RCPT TO:<a@b.example>\r\n' },
    { from: 'server', text: `550 ${HOSTILE}` },
  ],
}));
const REPORT = reportOf({ examined: `mx.example:25${HOSTILE}`, role: 'smtp', requireAll: false }, FINDINGS);

test.each(Object.entries(FORMATS))('%s has nothing but printed characters', (_, format) => {
  expect([...format(REPORT)].filter((character) => !/[\n -~…“”’–]/.test(character))).toEqual([]);
});

test('counts, and what fails', () => {
  expect(REPORT.counts).toEqual({ violates: 1, inconclusive: 1, permitted: 1, conforms: 1, skipped: 1 });
  const undecided = FINDINGS.filter(({ verdict }) => verdict !== 'violates');
  expect(fails(REPORT.counts, false)).toBe(true);
  expect(fails(countsOf(undecided), false)).toBe(false);
  expect(fails(countsOf(undecided), true)).toBe(true);
});

test('json is the report', () => {
  expect(JSON.parse(FORMATS.json(REPORT))).toEqual(REPORT);
});

test.each([false, true])('junit is well-formed XML with a case for each check (all required: %s)', (requireAll) => {
  const root = parseXml(FORMATS.junit({ ...REPORT, requireAll }));
  expect(root.name).toBe('testsuites');
  const [suite] = root.elements;
  const failing = (suite as XmlElement).elements.filter(({ elements }) => elements[0]?.name === 'failure');
  const { tests, failures, skipped } = (suite as XmlElement).attributes;
  expect({ tests, failures, skipped }).toEqual({ tests: '5', failures: `${failing.length}`, skipped: requireAll ? '1' : '2' });
  expect(failing.map(({ attributes }) => attributes.name!.split(':')[0])).toEqual(
    requireAll ? ['check-violates', 'check-inconclusive'] : ['check-violates'],
  );
  expect(failing[0]!.elements[0]!.text).toContain('\nC: RCPT TO:<a@b.example>\n');
});

test('html has the elements and attributes of its own, and no other', () => {
  const page = FORMATS.html(REPORT);
  const plain = FORMATS.html(
    reportOf(
      { ...REPORT, examined: 'mx.example:25' },
      FINDINGS.map((one) => ({ ...one, because: 'x', seen: 'x', dialogue: [{ from: 'server', text: 'x' }] })),
    ),
  );
  const tags = (text: string): readonly string[] => text.match(/<[^>]*>/g) ?? [];
  expect(tags(page).filter((tag) => !tags(plain).includes(tag))).toEqual([]);
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
});

test('the script of the page is the one whose hash is allowed', () => {
  expect(SCRIPT_HASH).toBe(`sha256-${createHash('sha256').update(SCRIPT).digest('base64')}`);
  expect(FORMATS.html(REPORT)).toContain(`script-src '${SCRIPT_HASH}'`);
});

test('md keeps what the server says between fences, or escapes what has a meaning', () => {
  const page = FORMATS.md(REPORT);
  const [, fence] = /^(`{3,})text$/m.exec(page) ?? [];
  expect(fence!.length).toBeGreaterThan(4);
  const outside = page
    .split(fence!)
    .filter((_, i) => i % 2 === 0)
    .join('');
  expect(outside).not.toMatch(/(?<!\\)<(?!\/?$)/);
  expect(outside).not.toMatch(/^# heading/m);
});
