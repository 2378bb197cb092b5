import type { Report } from '../report.ts';
import { countLine, dialogueOf, differenceOf, MEANING, of, reasonOf, requirementsOf, VERDICTS } from './view.ts';
import { visible } from './visible.ts';

/** What to read in a terminal: all but what conforms, violations with their dialogue. */
export function text(report: Report): string {
  const lines: string[] = [];
  for (const verdict of VERDICTS) {
    const findings = of(report, verdict);
    if (verdict === 'conforms' || findings.length === 0) continue;
    lines.push(`${verdict}: ${MEANING[verdict]}`);
    for (const finding of findings) {
      lines.push(`  ${finding.id}: ${finding.title}`);
      if (verdict === 'skipped') lines.push(`    ${reasonOf(finding)}`);
      else lines.push(...[reasonOf(finding), differenceOf(finding)].filter((line) => line !== null).map((line) => `    ${line}`));
      if (verdict !== 'violates') continue;
      lines.push(...requirementsOf(finding).map((line) => `    ${line}`), ...dialogueOf(finding).map((line) => `      ${line}`));
    }
    lines.push('');
  }
  return `${[...lines, `${visible(report.examined)} (${report.role}): ${countLine(report)}`].join('\n')}\n`;
}
