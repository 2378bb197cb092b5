export {
  ANY_DATE,
  DATE_DEVIATIONS,
  DATE_LETTER,
  type DateDeviation,
  type DateTime,
  formatDate,
  OBSOLETE_DATE,
  parseDate,
} from '@ehlo/grammar/imf';
