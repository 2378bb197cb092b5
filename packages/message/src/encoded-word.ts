export type { DecodeCharset } from './charset.ts';
export { ANY_WORD, WORDS, type WordDeviation } from './word-deviation.ts';
export { parseUnstructured, type WordOptions } from './word-reader.ts';
export { formatUnstructured, type WriteOptions } from './word-writer.ts';
