import type { Verdict } from '../check.ts';
import type { Report } from '../report.ts';
import type { Finding } from '../run-check.ts';
import { shownLines, visible } from './visible.ts';

/** The order in which verdicts are told: what matters first. */
export const VERDICTS: readonly (Verdict | 'skipped')[] = ['violates', 'inconclusive', 'permitted', 'conforms', 'skipped'];

/** What each verdict says. */
export const MEANING: { readonly [verdict in Verdict | 'skipped']: string } = {
  violates: 'no sentence of the standard permits it',
  inconclusive: 'it ran, and could not be decided',
  permitted: 'the standard leaves it open',
  conforms: 'as the standard asks for it',
  skipped: 'not run: a precondition is not met',
};

/** Findings of one verdict, in order. */
export function of(report: Report, verdict: Finding['verdict']): readonly Finding[] {
  return report.findings.filter((finding) => finding.verdict === verdict);
}

/** `5 violate, 2 inconclusive …` */
export function countLine({ counts }: Report): string {
  return VERDICTS.map((verdict) => `${counts[verdict]} ${verdict}`).join(', ');
}

/** Why it is so, with the section; null where it conforms. */
export function reasonOf({ because, section }: Finding): string | null {
  if (because === null) return null;
  return section === null ? visible(because) : `${visible(because)} (${section})`;
}

/** What was expected and what came; null where no step has decided. */
export function differenceOf({ expected, seen }: Finding): string | null {
  return expected === null || seen === null ? null : `expected ${expected}; came: ${visible(seen)}`;
}

/** `RFC 5321 4.1.4 MUST: out-of-order commands get 503` */
export function requirementsOf({ requirements }: Finding): readonly string[] {
  return requirements.map(({ id, section = id, level, statement }) => `${section}${level === undefined ? '' : ` ${level}`}: ${statement}`);
}

const MARKS = { client: 'C: ', server: 'S: ', connection: '-- ' } as const;

/** The dialogue, a line each: of the client `C:`, of the server `S:`. */
export function dialogueOf({ dialogue }: Finding): readonly string[] {
  return dialogue.flatMap(({ from, text }) => shownLines(text).map((line) => MARKS[from] + line));
}
