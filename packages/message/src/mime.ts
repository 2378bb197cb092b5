export { attribute, extendedText, extendedValue, mediaType, token } from '@ehlo/grammar/imf';
export {
  type AuthenticationProperty,
  type AuthenticationResult,
  type AuthenticationResults,
  formatAuthenticationResults,
  parseAuthenticationResults,
} from './authentication-results.ts';
export type { DecodeCharset } from './charset.ts';
export {
  type AutoSubmitted,
  type ContentType,
  type Disposition,
  type MimeOptions,
  parameterOf,
  parseAutoSubmitted,
  parseContentType,
  parseDisposition,
  parseTransferEncoding,
  type TransferEncoding,
} from './content-fields.ts';
export { formatAutoSubmitted, formatContentType, formatDisposition } from './format-mime.ts';
export { type ListId, listIdOf, listUrisOf } from './list-fields.ts';
export { EVERYDAY_MIME, MIME_LETTER, type MimeDeviation } from './mime-deviation.ts';
export type { MimeParameter } from './parameters.ts';
