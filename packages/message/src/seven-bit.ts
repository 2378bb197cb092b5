export { SevenBitConverter, toSevenBit } from './seven-bit-converter.ts';
export type { CannotConvert, SevenBitCode } from './seven-bit-reason.ts';
export { type SevenBitOptions, SevenBitSurvey, type SevenBitWay } from './seven-bit-survey.ts';
