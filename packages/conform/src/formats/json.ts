import type { Report } from '../report.ts';

/** The whole report, one object; what is not ASCII is escaped. */
export function json(report: Report): string {
  const escaped = JSON.stringify(report, null, 2).replaceAll(
    /[\x7f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${escaped}\n`;
}
