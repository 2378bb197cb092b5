export { type Field, fieldValue, isNamed } from './field.ts';
export { ANY_HEADER, HARMLESS, HEADER_DEVIATIONS, type HeaderDeviation } from './header-deviation.ts';
export { HEADER_LIMITS, type HeaderEvent, type HeaderLimits, HeaderReader, type HeaderReaderOptions } from './header-reader.ts';
