// The fields of a delivery status that are regular, to the letter, against the grammar of RFC 3464.
import { latin1 } from '@ehlo/grammar';
import { LETTER_REPORT, parseDeliveryStatus } from '@ehlo/message/report';
import { afterAll, expect, test } from 'vitest';
import { compileAbnf } from '../src/abnf/compile.ts';
import { conformance, formatReport } from '../src/abnf/conformance.ts';
import type { Recogniser } from '../src/abnf/contract.ts';

// RFC 3464 Appendix A, with its prose: numbers of a status have no leading zeros (2.3.4), its class is one of RFC 3463 2; white space may
// stand around each token (2.1.1). Text is what RFC 3464 2.3.2 leaves of RFC 822's: no control but HTAB. Comments nest, so they are no part of
// this; nor are line ends, which fold.
const GRAMMAR = `
status = *WSP class "." number "." number *WSP
class = "2" / "4" / "5"
number = "0" / %x31-39 0*2DIGIT
action = *WSP ("failed" / "delayed" / "delivered" / "relayed" / "expanded") *WSP
typed = *WSP atom *WSP ";" *text
atom = 1*(%x21 / %x23-27 / %x2A-2B / %x2D / %x2F-39 / %x3D / %x3F / %x41-5A / %x5E-7E)
text = %x09 / %x20-27 / %x2A-7E
`;

/** A field of a status that has nothing else to say; empty where the rule is that it must be there. */
const STATUS = (field: string): string => `Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; joe@example.net\r\n${field}\r\n`;
const WITHIN: { readonly [rule: string]: (value: string) => string } = {
  status: (value) => STATUS(`Action: failed\r\nStatus:${value}`),
  action: (value) => STATUS(`Action:${value}\r\nStatus: 5.0.0`),
  typed: (value) => STATUS(`Action: failed\r\nStatus: 5.0.0\r\nDiagnostic-Code:${value}`),
};

/** What the grammar above leaves out. */
const LEFT_OUT = /[()\r\n]/;

const lines: string[] = [];
afterAll(() => console.log(lines.join('\n')));

test.each(Object.entries(WITHIN))('%s: every octet in every state', (rule, within) => {
  const recogniser: Recogniser = (bytes, from, to) => {
    const value = latin1(bytes, from, to);
    return !LEFT_OUT.test(value) && parseDeliveryStatus(within(value), { tolerate: LETTER_REPORT }).ok ? to : ~to;
  };
  const report = conformance(rule, compileAbnf(GRAMMAR, rule), recogniser, 'whole');
  lines.push(formatReport(report));
  expect(report.disagreements).toEqual([]);
});
