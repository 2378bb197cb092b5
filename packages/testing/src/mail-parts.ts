import { ANY_HEADER, type Field, fieldValue, HeaderReader, isNamed } from '@ehlo/message';
import { parseUnstructured } from '@ehlo/message/encoded-word';
import { type DecodeCharset, parameterOf, parseDisposition } from '@ehlo/message/mime';
import { decodeTransfer, encodingOf, type PartHeader, PartReader } from '@ehlo/message/multipart';

/** Decodes what the runtime knows of charsets. */
const decode: DecodeCharset = (octets, charset) => {
  try {
    return new TextDecoder(charset).decode(octets);
  } catch {
    return null;
  }
};

/** What looks up fields of a message by their name: values unfolded, encoded words decoded. */
export function headerOf(message: Uint8Array): (name: string) => string[] {
  const reader = new HeaderReader({ tolerate: ANY_HEADER });
  reader.push(message);
  reader.end();
  const fields: Field[] = [];
  for (let event = reader.next(); event !== null; event = reader.next()) if (event.type === 'field') fields.push(event.field);
  return (name) => fields.filter((field) => isNamed(field, name)).map((field) => parseUnstructured(fieldValue(field), { decode }).value);
}

/** A part of a message that has content, without its transfer encoding. */
export interface MailPart {
  /** `text/plain`, `image/png` …, in small letters. */
  readonly type: string;
  /** Its file name; null if it has none. */
  readonly filename: string | null;
  /** `attachment`, `inline` or another; null if nothing is said. */
  readonly disposition: string | null;
  /** Of Content-ID, without brackets; null if it has none. */
  readonly contentId: string | null;
  readonly content: Uint8Array;
  /** Its content as text, by its charset. Default UTF-8. */
  text(): string;
}

/** The parts that have content, in their order. */
export function partsOf(message: Uint8Array): MailPart[] {
  const open: { header: PartHeader; content: Uint8Array[] }[] = [];
  const reader = new PartReader({
    part: (header) => void (header.composite || open.push({ header, content: [] })),
    content: (bytes) => void open.at(-1)?.content.push(bytes.slice()),
    end: () => {},
  });
  reader.push(message);
  reader.end();
  return open.map(({ header, content }) => partOf(header, joined(content)));
}

function partOf({ fields, content: contentType }: PartHeader, encoded: Uint8Array): MailPart {
  const content = decodeTransfer(encoded, encodingOf(fields));
  const first = (name: string): string | null => {
    const field = fields.find((one) => isNamed(one, name));
    return field === undefined ? null : fieldValue(field);
  };
  const parsed = parseDisposition(first('Content-Disposition') ?? '', { decode });
  const disposition = first('Content-Disposition') !== null && parsed.ok ? parsed.value : null;
  const named = (disposition === null ? undefined : parameterOf(disposition, 'filename')) ?? parameterOf(contentType, 'name');
  return {
    type: contentType.type,
    // RFC 2047 5 forbids encoded words there, and many write them.
    filename: named === undefined ? null : parseUnstructured(named, { decode }).value,
    disposition: disposition?.disposition ?? null,
    contentId: first('Content-ID')?.replace(/^<|>$/g, '') ?? null,
    content,
    text: () => decode(content, parameterOf(contentType, 'charset') ?? 'utf-8') ?? new TextDecoder('latin1').decode(content),
  };
}

/** The boundaries of all parts that hold others. */
export function boundariesOf(message: Uint8Array): string[] {
  const found: string[] = [];
  const reader = new PartReader({
    part: ({ content, composite }) => {
      const boundary = composite ? parameterOf(content, 'boundary') : undefined;
      if (boundary !== undefined) found.push(boundary);
    },
    content: () => {},
    end: () => {},
  });
  reader.push(message);
  reader.end();
  return found;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
