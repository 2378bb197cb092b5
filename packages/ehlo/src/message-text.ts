import { colours } from './colours.ts';
import type { ShownDeviation, ShownField } from './message-fields.ts';
import type { ShownReport } from './message-report.ts';
import { type Hop, type Trace, timeText } from './message-trace.ts';
import type { ShownMessage, ShownPart } from './read-message.ts';

const { bold, cyan, dim, green, red, yellow } = colours;

/** Ours: characters of a value that are shown; the others are counted. */
const LONGEST = 2000;

/** A message for people. What it holds is shown as text on one line each: no control character of it reaches a terminal. */
export function messageText(message: ShownMessage): string {
  const odd = new Deviations();
  const lines = [
    bold(`message: ${octetsText(message.octets)}`),
    ...(message.refused === null ? [] : [red(`  the header is not read to its end: ${message.refused}`)]),
    ...odd.lines(message.deviations, 1),
    ...envelopeLines(message),
    ...traceLines(message.trace, odd),
    ...(message.report === null ? [] : reportLines(message.report, odd)),
    ...headerLines(message.content, 0, odd),
    bold('content'),
    ...partLines(message.content, 1, odd),
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * A text on one line: what is no printable character, or turns the direction of a line, is escaped; so is a backslash, so that each text is
 * shown in one way only.
 */
export function visible(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)} … (${text.length - LONGEST} characters more)` : text;
  return cut.replaceAll(/[\p{C}\p{Zl}\p{Zp}\\]/gu, (character) => ESCAPES[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

const ESCAPES: { readonly [character: string]: string } = { '\\': '\\\\', '\r': '\\r', '\n': '\\n', '\t': '\\t' };

function indent(depth: number): string {
  return '  '.repeat(depth);
}

function octetsText(octets: number): string {
  return octets === 1 ? '1 octet' : `${octets} octets`;
}

/** Each is explained where it is met first. */
class Deviations {
  readonly #told = new Set<string>();

  lines(all: readonly ShownDeviation[], depth: number): string[] {
    return all.map(({ name, what, danger }) => {
      if (this.#told.has(name)) return `${indent(depth)}${yellow(`deviation ${name}`)} ${dim('(as above)')}`;
      this.#told.add(name);
      const harm = danger === null || danger === 'None known.' ? '' : ` ${dim(danger)}`;
      return `${indent(depth)}${yellow(`deviation ${name}: ${what}.`)}${harm}`;
    });
  }
}

function envelopeLines({ envelope }: ShownMessage): string[] {
  const { reversePath, source, recipients, resent, smtputf8, problems } = envelope;
  const from = reversePath === null ? 'nobody' : `${reversePath === '' ? '<>' : visible(reversePath)} ${dim(`(${source})`)}`;
  return [
    bold('envelope that the header asks for (RFC 5321 Appendix B)'),
    `  from ${from}`,
    ...recipients.map((recipient) => `  to   ${visible(recipient)}`),
    ...(resent ? ['  of the fields with which it was sent again (RFC 5322 3.6.6)'] : []),
    ...(smtputf8 ? ['  it needs SMTPUTF8 (RFC 6531)'] : []),
    ...problems.map(({ field, message }) => `  ${yellow(`${field === null ? '' : `${visible(field)}: `}${message}`)}`),
  ];
}

/** Columns of the longest bar. */
const WIDTH = 24;

function traceLines({ hops, duration, loop }: Trace, odd: Deviations): string[] {
  if (hops.length === 0) return [bold('trace: no host has put its mark on it (RFC 5321 4.4)')];
  const time = duration === null ? '' : ` in ${timeText(duration)}`;
  const longest = Math.max(0, ...hops.map(({ delay }) => Math.abs(delay ?? 0)));
  const wide = Math.max(...hops.map(({ delay }, i) => delayText(delay, i).length));
  return [
    bold(`trace: ${hops.length === 1 ? '1 hop' : `${hops.length} hops`}${time}, first to last (RFC 5321 4.4)`),
    ...(loop ? [`  ${red('it goes round in circles: more than 100 hops (RFC 5321 6.3)')}`] : []),
    ...hops.flatMap((hop, i) => [
      `  ${delayText(hop.delay, i).padStart(wide)} ${bar(hop.delay, longest)} ${way(hop)}`,
      ...odd.lines(hop.deviations, 2),
    ]),
  ];
}

function delayText(delay: number | null, i: number): string {
  if (delay === null) return i === 0 ? 'start' : 'no time';
  return `${delay < 0 ? '' : '+'}${timeText(delay)}`;
}

/** As long as the delay, beside the longest one; one that is negative, as no delay is, of other signs. */
function bar(delay: number | null, longest: number): string {
  if (delay === null || delay === 0) return ' '.repeat(WIDTH);
  const length = Math.max(1, Math.round((Math.abs(delay) / longest) * WIDTH));
  const padding = ' '.repeat(WIDTH - length);
  return (delay < 0 ? red('<'.repeat(length)) : green('#'.repeat(length))) + padding;
}

function way({ from, host, address, by, protocol, date }: Hop): string {
  const known = [host, address].filter((one) => one !== null).map(visible);
  const sender = from === null ? 'unknown' : `${visible(from)}${known.length === 0 ? '' : ` (${known.join(' ')})`}`;
  const how = protocol === null ? '' : ` with ${visible(protocol)}`;
  return `${sender} -> ${by === null ? 'unknown' : visible(by)}${how}, ${date ?? 'no date'}`;
}

function reportLines({ type, content, failure, text, original, deviations }: ShownReport, odd: Deviations): string[] {
  const copy = original === null ? [] : [`  the ${original.part} that came back`, ...original.fields.map((one) => `    ${named(one)}`)];
  return [
    bold(`report: ${type} (${REPORTS[type]})`),
    ...(failure === null ? [] : [`  ${red(`it can't be read: ${failure}`)}`]),
    ...(content === null ? [] : treeLines(content, 1)),
    ...(text.trim() === '' ? [] : ['  text', ...firstLines(text).map((line) => `    ${visible(line)}`)]),
    ...copy,
    ...odd.lines(deviations, 1),
  ];
}

const REPORTS: { readonly [type in ShownReport['type']]: string } = {
  'delivery-status': 'RFC 3464',
  'feedback-report': 'RFC 5965',
  tlsrpt: 'RFC 8460',
};

/** Ours: lines of a text that are shown. */
const MOST_LINES = 20;

function firstLines(text: string): readonly string[] {
  const lines = text.trimEnd().split(/\r?\n/);
  return lines.length <= MOST_LINES ? lines : [...lines.slice(0, MOST_LINES), `… (${lines.length - MOST_LINES} lines more)`];
}

function treeLines(value: object, depth: number): string[] {
  return Object.entries(value).flatMap(([name, entry]: [string, unknown]) => {
    const label = `${indent(depth)}${Array.isArray(value) ? '-' : cyan(visible(name))}`;
    if (typeof entry !== 'object' || entry === null) return [`${label} ${visible(String(entry ?? 'none'))}`];
    if ('type' in entry && 'text' in entry) return [`${label} ${visible(`${String(entry.type)}; ${String(entry.text)}`)}`];
    if (Array.isArray(entry) && entry.every((one) => typeof one !== 'object')) return [`${label} ${visible(entry.join(', '))}`];
    return [label, ...treeLines(entry, depth + 1)];
  });
}

function named({ name, value }: { readonly name: string; readonly value: string }): string {
  return `${cyan(visible(name))}: ${visible(value)}`;
}

function headerLines({ fields, problems, cut }: ShownPart, depth: number, odd: Deviations): string[] {
  return [
    `${indent(depth)}${bold('header')}`,
    ...(cut ? [`${indent(depth + 1)}${red('there was too much before: its fields are not shown')}`] : []),
    ...problems.map(({ field, standard, message }) => `${indent(depth + 1)}${red(`${field}: ${message}`)} ${dim(`(${standard})`)}`),
    ...fields.flatMap((field) => fieldLines(field, depth + 1, odd)),
  ];
}

function fieldLines(field: ShownField, depth: number, odd: Deviations): string[] {
  const { standard, meaning, says, failure, deviations } = field;
  const inner = indent(depth + 1);
  return [
    `${indent(depth)}${named(field)}`,
    `${inner}${dim(standard === null ? meaning : `${standard}: ${meaning}`)}`,
    ...(says === null || says === field.value ? [] : [`${inner}says ${visible(says)}`]),
    ...(failure === null
      ? []
      : [
          `${inner}${red(`it can't be read: ${failure.message}, octet ${failure.offset + 1} of the value`)} ${dim(`(${failure.rule}, ${failure.section})`)}`,
        ]),
    ...odd.lines(deviations, depth + 1),
  ];
}

/** A part in a line; of its fields those that are odd, and of a message within the whole header. */
function partLines(part: ShownPart, depth: number, odd: Deviations): string[] {
  const { type, parameters, disposition, filename, encoding, octets, parts } = part;
  const charset = parameters.find(({ name }) => name === 'charset')?.value;
  const facts = [
    charset === undefined ? '' : `charset ${visible(charset)}`,
    disposition === null ? '' : visible(disposition),
    filename === null ? '' : `"${visible(filename)}"`,
    encoding === '7bit' ? '' : visible(encoding),
    octets === null ? '' : octetsText(octets),
  ].filter((fact) => fact !== '');
  const inner = parts.flatMap((one) => [
    ...partLines(one, depth + 1, odd),
    ...(type === 'message/rfc822' ? headerLines(one, depth + 2, odd) : oddFields(one, depth + 2, odd)),
  ]);
  return [`${indent(depth)}${cyan(visible(type))}${facts.length === 0 ? '' : ` ${facts.join(', ')}`}`, ...inner];
}

function oddFields({ fields }: ShownPart, depth: number, odd: Deviations): string[] {
  return fields
    .filter(({ failure, deviations }) => failure !== null || deviations.length > 0)
    .flatMap((field) => fieldLines(field, depth, odd));
}
