import type { ReportDeviation } from './report-deviation.ts';

/** What each is, and the danger of taking it. */
export const REPORT_DEVIATIONS: { readonly [name in ReportDeviation]: { readonly what: string; readonly danger: string } } = {
  'reverse-path': {
    what: 'a Return-Path other than <> (RFC 3464 2)',
    danger: 'Who answers a report that has a return address may begin a loop.',
  },
  'not-multipart-report': {
    what: 'a status part in something other than multipart/report (RFC 3464 2)',
    danger: 'It may be a report that somebody passed on.',
  },
  'report-type': { what: 'a report-type that is missing or another than the second part is (RFC 6522 3)', danger: 'None known.' },
  unclosed: { what: 'a multipart without its last boundary (RFC 2046 5.1.1)', danger: 'What followed may be lost.' },
  'encoded-status': {
    what: 'a message/delivery-status in another encoding than 7bit (RFC 3464 2.1)',
    danger: 'Other programs do not read it.',
  },
  cut: { what: 'more than is kept: the rest was left out (limits of ours)', danger: 'Recipients may be missing.' },
  'words-as-status': {
    what: 'a part of the type of a status that is none, before the one that is (RFC 3464 2)',
    danger: 'Some programs read the first one alone, and find nothing.',
  },
  'no-status-part': {
    what: 'a report without a part for programs (RFC 6522 3): it was read from the text for people',
    danger: 'Words are guessed at; whoever writes to the address can make them up.',
  },
  'failed-recipients-field': {
    what: 'recipients named in the header of the report alone (X-Failed-Recipients)',
    danger: 'They have no status of their own.',
  },
  qsbmf: { what: 'a report in the form of QSBMF, a text with paragraphs', danger: 'It has no status but what the text quotes.' },
  'no-colon': {
    what: 'a line that is no field: it was taken as more of the one before (RFC 3464 2.1)',
    danger: 'It may have been something else.',
  },
  'missing-blank-line': {
    what: 'fields of two recipients without a blank line between (RFC 3464 2.1)',
    danger: 'Fields may be given to the wrong recipient.',
  },
  'extra-blank-line': { what: 'a blank line within the fields of a recipient, or more than one (RFC 3464 2.1)', danger: 'As above.' },
  'bare-lf': { what: 'lines that end with LF or CR alone (RFC 5322 2.3)', danger: 'Two programs may disagree where a line ends.' },
  control: { what: 'control characters, which were left out (RFC 3464 2.3.2)', danger: 'In a log or a terminal they do what they like.' },
  'non-ascii': {
    what: 'characters beyond ASCII in a message/delivery-status (RFC 6533 4.1)',
    danger: 'Nobody says what they stand for; read as UTF-8.',
  },
  'repeated-field': {
    what: 'a field that may stand once, twice (RFC 3464 2.2, 2.3): the first counts',
    danger: 'Programs disagree which one counts.',
  },
  'no-reporting-mta': { what: 'no Reporting-MTA (RFC 3464 2.2.2)', danger: 'Nobody says who reports.' },
  'no-final-recipient': {
    what: 'no Final-Recipient (RFC 3464 2.3.2): the original one stands for it',
    danger: 'It may be another mailbox.',
  },
  'no-recipient': { what: 'fields of a recipient who is not named (RFC 3464 2.3.2): left out', danger: 'A recipient is missing.' },
  'no-type': { what: 'an address, a host or a diagnostic without its type (RFC 3464 2.1.2)', danger: 'It may be of another mail system.' },
  'odd-address': {
    what: 'an address in angle brackets, or with words beside it (RFC 3464 2.3.2)',
    danger: 'Programs disagree what the address is.',
  },
  'no-action': { what: 'no Action (RFC 3464 2.3.3): taken from the status', danger: 'A delay may be taken for a failure.' },
  'odd-action': { what: 'an Action of another name (RFC 3464 2.3.3)', danger: 'As above.' },
  'no-status': { what: 'no Status (RFC 3464 2.3.4): taken from the diagnostic or the action', danger: 'It may be the wrong one.' },
  'odd-status': { what: 'a Status of another form (RFC 3464 2.3.4)', danger: 'As above.' },
  'odd-date': { what: 'a date that is none, or of another form (RFC 3464 2.2.5)', danger: 'It may be hours away.' },
  'misplaced-field': {
    what: 'a Will-Retry-Until without delay, or a Localized-Diagnostic without a language (RFC 3464 2.3.9, RFC 6533 4.1)',
    danger: 'None known: it was left out.',
  },
  'no-feedback-type': { what: 'no Feedback-Type (RFC 5965 3.1)', danger: 'Nobody says what it is about.' },
  'no-user-agent': { what: 'no User-Agent or no Version in a feedback report (RFC 5965 3.1)', danger: 'None known.' },
};
