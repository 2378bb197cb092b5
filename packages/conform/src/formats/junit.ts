import type { Report } from '../report.ts';
import type { Finding } from '../run-check.ts';
import { escapeMarkup } from './markup.ts';
import { dialogueOf, differenceOf, reasonOf, requirementsOf } from './view.ts';

/** XML as test reporters read it: a case for each check. What is skipped or inconclusive is `skipped`; with `requireAll` what is inconclusive fails. */
export function junit(report: Report): string {
  const { findings, counts, role, examined, requireAll } = report;
  const failures = counts.violates + (requireAll ? counts.inconclusive : 0);
  const skipped = findings.length - failures - counts.conforms - counts.permitted;
  const name = escapeMarkup(`${role} ${examined}`);
  const totals = `tests="${findings.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="ehlo conform" ${totals}>`,
    `  <testsuite name="${name}" ${totals}>`,
    ...findings.map((finding) => testCase(finding, requireAll)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testCase(finding: Finding, requireAll: boolean): string {
  const { id, title, verdict, requirements } = finding;
  const attributes = `classname="${escapeMarkup(requirements[0]?.section ?? 'behaviour')}" name="${escapeMarkup(`${id}: ${title}`)}" time="0"`;
  if (verdict === 'conforms') return `    <testcase ${attributes}/>`;
  const why = escapeMarkup(reasonOf(finding) ?? '');
  const body = escapeMarkup([...requirementsOf(finding), differenceOf(finding) ?? '', ...dialogueOf(finding)].join('\n'));
  const fails = verdict === 'violates' || (verdict === 'inconclusive' && requireAll);
  const inner = fails
    ? `<failure type="${verdict}" message="${why}">${body}</failure>`
    : verdict === 'permitted'
      ? `<system-out>permitted: ${why}\n${body}</system-out>`
      : `<skipped message="${verdict}: ${why}"/>`;
  return `    <testcase ${attributes}>${inner}</testcase>`;
}
