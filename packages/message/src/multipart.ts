export type { MultipartDeviation } from './multipart-deviation.ts';
export { encodingOf } from './part-fields.ts';
export { type PartHeader, PartReader, type PartReaderOptions, type PartSink } from './part-reader.ts';
export { decodeTransfer } from './transfer.ts';
