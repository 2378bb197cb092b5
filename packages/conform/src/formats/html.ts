import type { Report } from '../report.ts';
import type { Finding } from '../run-check.ts';
import { escapeMarkup } from './markup.ts';
import { SCRIPT, SCRIPT_HASH, STYLE } from './page.ts';
import { dialogueOf, differenceOf, MEANING, reasonOf, requirementsOf, VERDICTS } from './view.ts';

/** One page that needs nothing from elsewhere: findings to filter and to print, light or dark as the reader has it. Text of who is examined is text, whatever it says. */
export function html(report: Report): string {
  const { findings, counts, role, examined } = report;
  const title = escapeMarkup(`Conformance of ${examined} (${role})`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src '${SCRIPT_HASH}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>${title}</h1></header>
<main>
<form id="filter" role="search" aria-label="Findings">
<fieldset><legend>Verdicts</legend>
${VERDICTS.map((verdict) => `<label class="${verdict}"><input type="checkbox" value="${verdict}"${verdict === 'conforms' || verdict === 'skipped' ? '' : ' checked'}> ${counts[verdict]} ${verdict} <small>${MEANING[verdict]}</small></label>`).join('\n')}
</fieldset>
<label>Text <input type="search" id="words" autocomplete="off"></label>
<p id="shown" role="status"></p>
</form>
<ul id="findings">
${findings.map(item).join('\n')}
</ul>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function item(finding: Finding): string {
  const { id, title, verdict } = finding;
  const facts = [reasonOf(finding), differenceOf(finding)].filter((line) => line !== null).map((line) => `<p>${escapeMarkup(line)}</p>`);
  const requirements = requirementsOf(finding).map((line) => `<li>${escapeMarkup(line)}</li>`);
  const dialogue = dialogueOf(finding);
  const spoken = dialogue.length === 0 ? '' : `<pre tabindex="0">${escapeMarkup(dialogue.join('\n'))}</pre>`;
  const open = verdict === 'violates' ? ' open' : '';
  return `<li class="${verdict}" data-verdict="${verdict}"><details${open}><summary><strong>${verdict}</strong> <code>${escapeMarkup(id)}</code> ${escapeMarkup(title)}</summary>
${facts.join('')}<ul>${requirements.join('')}</ul>${spoken}</details></li>`;
}
