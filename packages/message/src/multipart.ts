export { MULTIPART_DEVIATIONS, type MultipartDeviation } from './multipart-deviation.ts';
export { encodingOf, type PartHeader, PartReader, type PartReaderOptions, type PartSink } from './part-reader.ts';
