import { escaped, MARGIN, picture, tableOf } from './picture.ts';
import { PARTS } from './profile.ts';

const HEADLINE = 'Where the processor time of a server goes, for one of each. Each pair has a scale of its own.';

const LABELS = 70;
const LONGEST = 620;
const BAR = 18;
const STEP = 23;
const TITLE = 30;
const LEGEND = 84;

/** Ours in blue and green, garbage in red; what is the runtime's and the kernel's in greys. */
const COLOURS: { readonly [part in (typeof PARTS)[number]]: string } = {
  write: '#6e7781',
  Node: '#8c959f',
  engine: '#0969da',
  grammar: '#54aeff',
  driver: '#1a7f37',
  adapter: '#4ac26b',
  garbage: '#cf222e',
  other: '#afb8c1',
};

/** Draws the table of profiles of the page. */
export function profilePlotOf(page: string): string {
  const [head, ...rows] = tableOf(page, '<!-- begin:profile -->');
  const parts = PARTS.map((part, place) => {
    const x = MARGIN + place * LEGEND;
    return `<rect class="${part}" x="${x}" y="38" width="12" height="12" rx="2"/><text x="${x + 17}" y="48">${part}</text>`;
  });
  let y = 60;
  for (let place = 0; place < rows.length; place += 2) {
    const pair = [
      { name: 'ehlo', cells: rows[place]! },
      { name: 'floor', cells: rows[place + 1]! },
    ];
    const most = Math.max(...pair.map(({ cells }) => timeOf(cells[1]!)));
    parts.push(`<text class="title" x="${MARGIN}" y="${y + 16}">${escaped(rows[place]![0]!)}</text>`);
    y += TITLE;
    for (const { name, cells } of pair) {
      parts.push(`<text x="${LABELS - 10}" y="${y + 13}" text-anchor="end">${name}</text>`);
      let x = LABELS;
      for (const part of PARTS) {
        const width = (timeOf(cells[head!.indexOf(part)]!) / most) * LONGEST;
        if (width > 0) parts.push(`<rect class="${part}" x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR}"/>`);
        x += width;
      }
      parts.push(`<text x="${(x + 6).toFixed(1)}" y="${y + 13}">${cells[1]} µs</text>`);
      y += STEP;
    }
    y += 8;
  }
  return picture(HEADLINE, y, PARTS.map((part) => `.${part} { fill: ${COLOURS[part]} }`).join(' '), parts);
}

/** An empty cell is none. */
function timeOf(cell: string): number {
  return Number(cell.replaceAll(',', ''));
}
