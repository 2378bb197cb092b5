import { escaped, MARGIN, picture, tableOf } from './picture.ts';

/** One bar: who, and milliseconds of processor time for 1,000 units. */
interface Bar {
  readonly name: string;
  readonly milliseconds: number;
}

interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const HEADLINE = 'Processor time for 1,000 of each. Shorter is better. Each group has a scale of its own.';

const LABELS = 230;
const LONGEST = 430;
const BAR = 14;
const STEP = 19;
const TITLE = 30;

/**
 * Draws the processor times that stand in the tables of the page. Each group has a scale of its own, from zero: they differ by a thousand. The
 * picture follows the colours of whoever looks at it.
 */
export function plotOf(page: string): string {
  const groups = groupsOf(page);
  const parts: string[] = [];
  let y = 36;
  for (const { title, bars } of groups) {
    parts.push(`<text class="title" x="${MARGIN}" y="${y + 16}">${escaped(title)}</text>`);
    y += TITLE;
    const most = Math.max(...bars.map(({ milliseconds }) => milliseconds));
    for (const { name, milliseconds } of bars) {
      const width = Math.max(1, Math.round((milliseconds / most) * LONGEST));
      const kind = name.startsWith('ehlo') ? 'ehlo' : name.startsWith('floor') ? 'floor' : 'peer';
      parts.push(
        `<text x="${LABELS - 10}" y="${y + 11}" text-anchor="end">${escaped(name)}</text>`,
        `<rect class="${kind}" x="${LABELS}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`,
        `<text x="${LABELS + width + 8}" y="${y + 11}">${shown(milliseconds)} ms</text>`,
      );
      y += STEP;
    }
    y += 10;
  }
  const style = `.ehlo { fill: #0969da } .peer { fill: #8c959f } .floor { fill: #d0d7de }
  @media (prefers-color-scheme: dark) { .ehlo { fill: #58a6ff } .peer { fill: #8b949e } .floor { fill: #484f58 } }`;
  return picture(HEADLINE, y, style, parts);
}

/** What is drawn: rows of the servers, a bar for each; and the senders, a bar for each row. */
function groupsOf(page: string): Group[] {
  const groups: Group[] = [];
  for (const section of ['Messages', 'Sessions']) {
    const [head, ...rows] = tableOf(page, `## ${section}`);
    for (const [title, ...cells] of rows) {
      const bars = cells.flatMap((cell, column): Bar[] => {
        const milliseconds = millisecondsOf(cell);
        return milliseconds === null ? [] : [{ name: head![column + 1]!, milliseconds }];
      });
      groups.push({ title: title!, bars });
    }
  }
  const [, ...senders] = tableOf(page, '## Sending');
  const bars = senders.map(([name, cell]): Bar => ({ name: name!, milliseconds: millisecondsOf(cell!)! }));
  groups.push({ title: 'sending, messages of 4 KiB', bars });
  return groups;
}

/** `2,690/s · 228 ms` */
function millisecondsOf(cell: string): number | null {
  const found = /· ([\d.,]+) ms$/.exec(cell)?.[1];
  return found === undefined ? null : Number(found.replaceAll(',', ''));
}

function shown(milliseconds: number): string {
  return milliseconds >= 1000 ? milliseconds.toLocaleString('en') : String(milliseconds);
}
