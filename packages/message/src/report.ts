export { type ComposedReport, composeReport, contentOf, type OriginalMessage, type ReportInit } from './compose-report.ts';
export {
  DELIVERY_ACTIONS,
  type DeliveryAction,
  type DeliveryStatus,
  type ExtensionField,
  formatDeliveryStatus,
  type RecipientStatus,
  type Typed,
} from './delivery-status.ts';
export { type Feedback, parseFeedback } from './feedback.ts';
export { parseDeliveryStatus } from './parse-delivery-status.ts';
export { ANY_TLS, parseTlsReport } from './parse-tls-report.ts';
export { ANY_REPORT, LETTER_REPORT, type ReportDeviation } from './report-deviation.ts';
export type { DeliveryReport, FeedbackReport, Report, ReturnedMessage, TlsReportMail } from './report-kinds.ts';
export { REPORT_LIMITS, type ReportLimits, ReportReader, readReport } from './report-reader.ts';
export {
  formatTlsReport,
  type TlsDeviation,
  type TlsFailure,
  type TlsPolicy,
  type TlsReport,
  tlsReportMail,
} from './tls-report.ts';
