// What all pictures of docs/performance.md share: each is drawn of a table of the page.

const WIDTH = 760;
export const MARGIN = 12;

/** A picture of this height. It follows the colours of whoever looks at it. */
export function picture(headline: string, height: number, style: string, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${headline}">
<style>
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 13px }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
  ${style}
</style>
<text x="${MARGIN}" y="24">${headline}</text>
${parts.join('\n')}
</svg>
`;
}

/** The cells of the first table behind a line of the page. */
export function tableOf(page: string, line: string): string[][] {
  const lines = page.split('\n');
  const start = lines.indexOf(line) + 1;
  const first = lines.findIndex((one, place) => place >= start && one.startsWith('|'));
  const behind = lines.findIndex((one, place) => place > first && !one.startsWith('|'));
  if (start === 0 || first < 0) throw new Error(`the page has no table behind ${line}`);
  const table = lines.slice(first, behind).filter((one) => !one.startsWith('|-'));
  return table.map((one) =>
    one
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
