import { ANY_HEADER, type Field, type HeaderDeviation, HeaderReader, isNamed, unfold } from '@ehlo/message';
import { parseAddressList } from '@ehlo/message/address';
import { type EnvelopeProblem, envelopeOf } from '@ehlo/message/envelope';
import { type MimeParameter, parameterOf, parseDisposition } from '@ehlo/message/mime';
import { encodingOf, type PartHeader, PartReader, type PartSink } from '@ehlo/message/multipart';
import { ReportReader } from '@ehlo/message/report';
import { HEADER_DEVIATIONS, MULTIPART_DEVIATIONS } from '@ehlo/message/words';
import { deviations, type ShownDeviation, type ShownField, shownField } from './message-fields.ts';
import { type ShownReport, shownReport } from './message-report.ts';
import { type Trace, traceOf } from './message-trace.ts';

/** A message as a tree. */
export interface ShownMessage {
  /** Whether every field that was read says something, and each is there as often as it has to be, within the limits. */
  readonly valid: boolean;
  readonly octets: number;
  /** What its header would be sent as (RFC 5321 Appendix B). */
  readonly envelope: {
    readonly reversePath: string | null;
    readonly source: string | null;
    readonly recipients: readonly string[];
    readonly resent: boolean;
    readonly smtputf8: boolean;
    readonly problems: readonly EnvelopeProblem[];
  };
  readonly trace: Trace;
  readonly report: ShownReport | null;
  /** Of the lines of the header, and of how parts are marked off. */
  readonly deviations: readonly ShownDeviation[];
  /** Why the rest of the header was not read; null if all of it was. */
  readonly refused: string | null;
  readonly content: ShownPart;
}

/** A part of a message, or the message itself. */
export interface ShownPart {
  /** `type/subtype`. */
  readonly type: string;
  readonly parameters: readonly MimeParameter[];
  /** Of Content-Disposition. */
  readonly disposition: string | null;
  readonly filename: string | null;
  readonly encoding: string;
  /** Of its content, as it is encoded; null if it holds parts. */
  readonly octets: number | null;
  readonly fields: readonly ShownField[];
  /** Of a message: what its header has too few or too many of. */
  readonly problems: readonly HeaderProblem[];
  /** Whether its fields were left out, because there were too many before. */
  readonly cut: boolean;
  readonly parts: readonly ShownPart[];
}

export interface HeaderProblem {
  readonly code: 'missing-field' | 'repeated-field';
  readonly field: string;
  readonly standard: string;
  readonly message: string;
}

/** Ours: so many parts are told apart, and so many octets of all their headers shown. */
export const MOST_PARTS = 1000;
export const MOST_HEADER_OCTETS = 4_194_304;

/** Reads a message as it comes. It keeps headers and what a report says, within limits, and counts the rest. */
export async function readMessage(chunks: AsyncIterable<Uint8Array>): Promise<ShownMessage> {
  const header = new HeaderLines();
  const report = new ReportReader();
  const tree = new Tree();
  const parts = new PartReader(tree, { messages: true, parts: MOST_PARTS });
  let octets = 0;
  for await (const chunk of chunks) {
    octets += chunk.length;
    header.push(chunk);
    report.push(chunk);
    parts.push(chunk);
  }
  header.end();
  parts.end();
  const told = report.end();
  const content = tree.top();
  const { reversePath, recipients, ...envelope } = envelopeOf(tree.fields);
  return {
    valid: !tree.found.has('header-refused') && isValid(content),
    octets,
    envelope: { ...envelope, reversePath: reversePath?.address ?? null, recipients: recipients.map(({ address }) => address) },
    trace: traceOf(tree.fields),
    report: told === null ? null : await shownReport(told),
    deviations: [...deviations(header.found, HEADER_DEVIATIONS), ...deviations(tree.found, MULTIPART_DEVIATIONS)],
    refused: header.refused,
    content,
  };
}

/** What is told of the lines of the header, beside its fields. */
class HeaderLines {
  readonly #reader = new HeaderReader({ tolerate: ANY_HEADER });
  readonly found = new Set<HeaderDeviation>();
  refused: string | null = null;
  #over = false;

  push(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#reader.push(bytes);
    this.#read();
  }

  end(): void {
    if (!this.#over) this.#reader.end();
    this.#read();
  }

  #read(): void {
    for (let event = this.#reader.next(); event !== null; event = this.#reader.next()) {
      if (event.type === 'stray') this.found.add(event.deviation);
      else if (event.type === 'end-of-header') for (const name of event.deviations) this.found.add(name);
      else if (event.type === 'refused') this.refused = event.message;
      this.#over ||= event.type === 'end-of-header' || event.type === 'refused';
    }
  }
}

interface OpenPart extends ShownPart {
  octets: number | null;
  readonly parts: OpenPart[];
}

class Tree implements PartSink {
  /** Of the message itself. */
  fields: readonly Field[] = [];
  found: ReadonlySet<string> = new Set();
  /** The last part of each depth. */
  readonly #open: OpenPart[] = [];
  #headerOctets = 0;

  part(header: PartHeader): void {
    if (header.depth === 0) this.fields = header.fields;
    this.#headerOctets += header.raw.length;
    const one = openPart(header, this.#headerOctets > MOST_HEADER_OCTETS);
    this.#open[header.depth - 1]?.parts.push(one);
    this.#open.length = header.depth;
    this.#open.push(one);
  }

  content(bytes: Uint8Array): void {
    const last = this.#open.at(-1)!;
    last.octets = (last.octets ?? 0) + bytes.length;
  }

  end(found: ReadonlySet<string>): void {
    this.found = found;
  }

  top(): ShownPart {
    return this.#open[0]!;
  }
}

function openPart({ fields, content, within, composite }: PartHeader, cut: boolean): OpenPart {
  const field = fields.find((one) => isNamed(one, 'Content-Disposition'));
  const disposition = field === undefined ? null : parseDisposition(valueOctets(field));
  const value = disposition?.ok ? disposition.value : null;
  const isMessage = within === null || within.type === 'message/rfc822';
  return {
    type: content.type,
    parameters: content.parameters,
    disposition: value?.disposition ?? null,
    filename: (value && parameterOf(value, 'filename')) ?? parameterOf(content, 'name') ?? null,
    encoding: encodingOf(fields),
    octets: composite ? null : 0,
    fields: cut ? [] : fields.map(shownField),
    problems: isMessage ? headerProblems(fields) : [],
    cut,
    parts: [],
  };
}

/** RFC 5322 3.6: how often a field may be there, and has to be. RFC 5321 4.4: one Return-Path. */
const ONCE: readonly (readonly [name: string, standard: string])[] = [
  ['Return-Path', 'RFC 5321 4.4'],
  ...['Date', 'From', 'Sender', 'Reply-To', 'To', 'Cc', 'Bcc', 'Message-ID', 'In-Reply-To', 'References', 'Subject'].map(
    (name) => [name, 'RFC 5322 3.6'] as const,
  ),
];

function headerProblems(fields: readonly Field[]): readonly HeaderProblem[] {
  const problems: HeaderProblem[] = [];
  for (const [name, standard] of ONCE) {
    const all = fields.filter((field) => isNamed(field, name));
    if (all.length > 1) problems.push({ code: 'repeated-field', field: name, standard, message: `${all.length} in place of one` });
    if (all.length === 0 && (name === 'Date' || name === 'From'))
      problems.push({ code: 'missing-field', field: name, standard, message: 'a message has one' });
  }
  const authors = fields.filter((field) => isNamed(field, 'From')).flatMap((field) => mailboxes(field));
  if (authors.length > 1 && !fields.some((field) => isNamed(field, 'Sender')))
    problems.push({
      code: 'missing-field',
      field: 'Sender',
      standard: 'RFC 5322 3.6.2',
      message: 'a message with several authors has one',
    });
  return problems;
}

function mailboxes(field: Field): readonly unknown[] {
  const parsed = parseAddressList(valueOctets(field));
  return parsed.ok ? parsed.value.flatMap((one) => (one.type === 'group' ? one.members : [one])) : [];
}

function valueOctets(field: Field): Uint8Array {
  const { raw, valueAt } = unfold(field);
  return raw.subarray(valueAt);
}

function isValid({ fields, problems, cut, parts }: ShownPart): boolean {
  return !cut && problems.length === 0 && fields.every(({ failure }) => failure === null) && parts.every(isValid);
}
