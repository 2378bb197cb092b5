import type { Report } from '../report.ts';
import { dialogueOf, differenceOf, MEANING, of, reasonOf, requirementsOf, VERDICTS } from './view.ts';
import { visible } from './visible.ts';

/** Markdown, for a comment or a page: counts, then all but what conforms, violations with their dialogue. */
export function md(report: Report): string {
  const { counts, role, examined } = report;
  const lines = [`# Conformance of ${escaped(visible(examined))} (${role})`, '', '| verdict | checks | |', '|---|---|---|'];
  for (const verdict of VERDICTS) lines.push(`| ${verdict} | ${counts[verdict]} | ${MEANING[verdict]} |`);
  for (const verdict of VERDICTS) {
    const findings = of(report, verdict);
    if (verdict === 'conforms' || findings.length === 0) continue;
    lines.push('', `## ${verdict}`);
    for (const finding of findings) {
      lines.push('', `### ${finding.id}`, '', escaped(finding.title));
      for (const line of [reasonOf(finding), differenceOf(finding)]) if (line !== null) lines.push('', escaped(line));
      if (verdict !== 'violates') continue;
      lines.push('', ...requirementsOf(finding).map((line) => `- ${escaped(line)}`), '', ...fenced(dialogueOf(finding)));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** A fence is longer than any within. */
function fenced(lines: readonly string[]): readonly string[] {
  const longest = Math.max(2, ...lines.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}text`, ...lines, fence];
}

function escaped(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>()#+!|~&$@:]/g, (character) => `\\${character}`);
}
