// Texts for the deviations and the danger of accepting each: only programs that show them import this file.
export { ADDRESS_DEVIATIONS } from './address-words.ts';
export { WORD_DEVIATIONS } from './encoded-word-words.ts';
export { HEADER_DEVIATIONS } from './header-words.ts';
export { MESSAGE_ID_DEVIATIONS } from './message-id-words.ts';
export { MIME_DEVIATIONS } from './mime-words.ts';
export { MULTIPART_DEVIATIONS } from './multipart-words.ts';
export { REPORT_DEVIATIONS } from './report-words.ts';
export { SEVEN_BIT_REASONS } from './seven-bit-words.ts';
export { TLS_DEVIATIONS } from './tls-report-words.ts';
