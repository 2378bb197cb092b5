import { Nfa, step } from './automaton.ts';
import { compileAbnf, type Replacements } from './compile.ts';
import type { Dfa } from './dfa.ts';
import { difference, intersection, union } from './operations.ts';
import { everyLineBegins } from './prose.ts';

/** RFC 3461 4.4: characters of an envelope identifier, encoded. */
export const ENVID_CHARACTERS = 100;
/** RFC 3461 4.2: characters of an original recipient, its type included. */
export const ORCPT_CHARACTERS = 500;

// RFC 3339 5.7: the ranges of each part, with the days of the months and leap years of its Appendix C; 60 is a leap second, which
// nobody knows beforehand. Words with zones too: RFC 3339 5.6 takes T and Z in both cases.
const DATE_AND_TIME = `
date-time    = full-date "T" full-time
full-date    = year "-" ( long-month "-" day-31 / short-month "-" day-30 / "02-" day-28 ) / leap-year "-02-29"
long-month   = "01" / "03" / "05" / "07" / "08" / "10" / "12"
short-month  = "04" / "06" / "09" / "11"
day-28       = "0" %x31-39 / "1" DIGIT / "2" %x30-38
day-30       = day-28 / "29" / "30"
day-31       = day-30 / "31"
year         = 4DIGIT
leap-year    = 2DIGIT by-four-not-00 / by-four "00"
by-four      = "00" / by-four-not-00
by-four-not-00 = "0" ( "4" / "8" ) / ( "2" / "4" / "6" / "8" ) ( "0" / "4" / "8" ) / ( "1" / "3" / "5" / "7" / "9" ) ( "2" / "6" )
full-time    = partial-time time-offset
partial-time = hour ":" sixty ":" ( sixty / "60" ) [ "." 1*DIGIT ]
time-offset  = "Z" / ( "+" / "-" ) hour ":" sixty
hour         = ( "0" / "1" ) DIGIT / "2" %x30-33
sixty        = %x30-35 DIGIT
`;

/** What the RFCs of the extensions say beside their ABNF about which words are in the language: part of the syntax. */
export const extensionLimits: Replacements = {
  // RFC 4648 3.5: pad bits "MUST be set to zero by conforming encoders", and decoders MAY reject others; we do (RFC 4954 4 demands strictness).
  'base64-terminal': (original) =>
    intersection(
      original(),
      compileAbnf(
        'last = OCTET %s"A" "==" / OCTET %s"Q" "==" / OCTET %s"g" "==" / OCTET %s"w" "==" / 2OCTET third "="\nthird = %x41 / %x45 / %x49 / %x4D / %x51 / %x55 / %x59 / %x63 / %x67 / %x6B / %x6F / %x73 / %x77 / %x30 / %x34 / %x38',
      ),
    ),
  // RFC 3463 2: sub-codes "MUST be expressed without leading zero digits".
  subject: (original) => intersection(original(), compileAbnf('number = "0" / %x31-39 *DIGIT')),
  detail: (original) => intersection(original(), compileAbnf('number = "0" / %x31-39 *DIGIT')),
  // RFC 2034 4: the class agrees with the reply's first digit, and the code is the same on every line. Of the million codes a few:
  // what a line may hold is tried with all of them, one line at a time.
  'enhanced-reply-line': (original) => {
    const replies = original();
    return union(...SAMPLES.map(([code, enhanced]) => intersection(replies, everyLineBegins(code, enhanced))));
  },
  // RFC 6533 3: "HEXPOINT is 2 to 6 hexadecimal digits".
  HEXPOINT: (original) => intersection(original(), compileAbnf('digits = 2*6HEXDIG')),
  // RFC 6533 3: the address type utf-8 has an encoding of its own, which is not xtext.
  'original-recipient-address': (original) => difference(original(), compileAbnf('other = "utf-8;" *OCTET')),
  // RFC 2852 4: mode R with a time of zero or less is refused.
  'by-value': (original) => difference(original(), compileAbnf('past = ( "-" 1*9DIGIT / [ "+" ] 1*9"0" ) ";R" *OCTET')),
  'full-date': (original) => intersection(original(), compileAbnf(DATE_AND_TIME, 'full-date')),
  'partial-time': (original) => intersection(original(), compileAbnf(DATE_AND_TIME, 'partial-time')),
  'time-offset': (original) => intersection(original(), compileAbnf(DATE_AND_TIME, 'time-offset')),
  // RFC 4865 3: "normalized to UTC"; RFC 3339 2: UTC is Z, and an offset of nothing.
  'future-release-date-time': (original) => intersection(original(), compileAbnf('utc = *OCTET ( "Z" / ( "+" / "-" ) "00:00" )')),
  'rrvs-date-time': (original) => intersection(original(), compileAbnf(DATE_AND_TIME, 'date-time')),
};

// RFC 5322 3.3: "A date-time specification MUST be semantically valid": the calendar, from 1900 on, and the clock. Five digits are ours.
const TRACE_DATE = `
date        = gap ( day-31 gap long gap year / day-30 gap short gap year / day-28 gap "Feb" gap year / "29" gap "Feb" gap leap-year ) gap
gap         = *( SP / HTAB / CR / LF )
long        = "Jan" / "Mar" / "May" / "Jul" / "Aug" / "Oct" / "Dec"
short       = "Apr" / "Jun" / "Sep" / "Nov"
day-28      = ["0"] %x31-39 / "1" DIGIT / "2" %x30-38
day-30      = day-28 / "29" / "30"
day-31      = day-30 / "31"
year        = ["0"] ( "19" / ( %x32-39 DIGIT ) ) 2DIGIT / %x31-39 4DIGIT
leap-year   = ["0"] ( ( "19" / ( %x32-39 DIGIT ) ) by-four-not-00 / ( "2" even / ( "4" / "6" / "8" ) even / ( "3" / "5" / "7" / "9" ) odd ) "00" )
leap-year   =/ %x31-39 ( 2DIGIT by-four-not-00 / by-four "00" )
by-four     = "00" / by-four-not-00
by-four-not-00 = "0" ( "4" / "8" ) / ( "2" / "4" / "6" / "8" ) even / ( "1" / "3" / "5" / "7" / "9" ) odd
even        = "0" / "4" / "8"
odd         = "2" / "6"
time-of-day = hour ":" sixty [ ":" ( sixty / "60" ) ]
hour        = ( "0" / "1" ) DIGIT / "2" %x30-33
sixty       = %x30-35 DIGIT
zone        = gap ( "+" / "-" ) 2DIGIT sixty
`;

/** What RFC 5322 3.3 says in prose of the date in a trace field, but for the day of the week, which no small automaton knows. */
export const traceLimits: Replacements = {
  date: (original) => intersection(original(), compileAbnf(TRACE_DATE, 'date')),
  'time-of-day': (original) => intersection(original(), compileAbnf(TRACE_DATE, 'time-of-day')),
  zone: (original) => intersection(original(), compileAbnf(TRACE_DATE, 'zone')),
};

/** Codes and enhanced codes that stand for all; none of them begins another code. */
export const SAMPLES: readonly (readonly [code: string, enhanced: string])[] = [
  ['250', '2.0.0'],
  ['250', '2.10.0'],
  ['550', '5.1.100'],
];

/** The words that stand in xtext (RFC 3461 4) for the words of a language of printable ASCII: each octet as itself or as a hexchar. */
export function xtextOf(dfa: Dfa): Dfa {
  const nfa = new Nfa();
  const states = Array.from({ length: dfa.states }, () => nfa.state());
  const end = nfa.state();
  for (let from = 0; from < dfa.states; from++) {
    if (dfa.accepting[from] === 1) nfa.epsilon(states[from] as number, end);
    const plus = nfa.state();
    nfa.range(states[from] as number, 0x2b, 0x2b, plus);
    for (let high = 2; high < 8; high++) {
      const second = nfa.state();
      nfa.range(plus, 0x30 + high, 0x30 + high, second);
      for (let low = 0; low < 16; low++) {
        const byte = high * 16 + low;
        const target = byte === 0x7f ? -1 : step(dfa, from, byte);
        if (target < 0) continue;
        const to = states[target] as number;
        if (byte > 0x20 && byte !== 0x2b && byte !== 0x3d) nfa.range(states[from] as number, byte, byte, to);
        for (const digit of new Set([low.toString(16), low.toString(16).toUpperCase()])) {
          nfa.range(second, digit.charCodeAt(0), digit.charCodeAt(0), to);
        }
      }
    }
  }
  return nfa.determinise(states[0] as number, end);
}
