import { type ContentType, PLAIN_TEXT, parseContentType, parseTransferEncoding, type TransferEncoding } from './content-fields.ts';
import { type Field, isNamed } from './field.ts';

/** The first Content-Type says it (RFC 2046 5.1.5: in a digest, what says nothing is a message). */
export function contentOf(fields: readonly Field[], within: ContentType | null): ContentType {
  const field = fields.find((one) => isNamed(one, 'Content-Type'));
  if (field === undefined) return within?.type === 'multipart/digest' ? { ...PLAIN_TEXT, type: 'message/rfc822' } : PLAIN_TEXT;
  const parsed = parseContentType(field.raw.subarray(field.valueAt));
  return parsed.ok ? parsed.value : PLAIN_TEXT;
}

/** The transfer encoding of a part (RFC 2045 6.1), by its first field for it; `7bit` where there is none. */
export function encodingOf(fields: readonly Field[]): TransferEncoding {
  const field = fields.find((one) => isNamed(one, 'Content-Transfer-Encoding'));
  const parsed = parseTransferEncoding(field?.raw.subarray(field.valueAt) ?? '');
  return parsed.ok ? parsed.value : '7bit';
}
