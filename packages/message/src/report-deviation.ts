/** The stable name of a way in which a report differs from what RFC 3461, 3464, 6522 and 5965 say a report is. */
export type ReportDeviation =
  | 'reverse-path'
  | 'not-multipart-report'
  | 'report-type'
  | 'unclosed'
  | 'encoded-status'
  | 'cut'
  | 'words-as-status'
  | 'no-status-part'
  | 'failed-recipients-field'
  | 'qsbmf'
  | 'no-colon'
  | 'missing-blank-line'
  | 'extra-blank-line'
  | 'bare-lf'
  | 'control'
  | 'non-ascii'
  | 'repeated-field'
  | 'no-reporting-mta'
  | 'no-final-recipient'
  | 'no-recipient'
  | 'no-type'
  | 'odd-address'
  | 'no-action'
  | 'odd-action'
  | 'no-status'
  | 'odd-status'
  | 'odd-date'
  | 'misplaced-field'
  | 'no-feedback-type'
  | 'no-user-agent';

/** All of them. */
export const ANY_REPORT: ReadonlySet<ReportDeviation> = /* @__PURE__ */ new Set<ReportDeviation>([
  'reverse-path',
  'not-multipart-report',
  'report-type',
  'unclosed',
  'encoded-status',
  'cut',
  'words-as-status',
  'no-status-part',
  'failed-recipients-field',
  'qsbmf',
  'no-colon',
  'missing-blank-line',
  'extra-blank-line',
  'bare-lf',
  'control',
  'non-ascii',
  'repeated-field',
  'no-reporting-mta',
  'no-final-recipient',
  'no-recipient',
  'no-type',
  'odd-address',
  'no-action',
  'odd-action',
  'no-status',
  'odd-status',
  'odd-date',
  'misplaced-field',
  'no-feedback-type',
  'no-user-agent',
]);

/** None: a report to the letter. */
export const LETTER_REPORT: ReadonlySet<ReportDeviation> = /* @__PURE__ */ new Set<ReportDeviation>();
