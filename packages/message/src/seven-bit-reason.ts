/** Why a message can't be made 7-bit. Stable: programs may switch on it. */
export type SevenBitCode =
  | 'utf8-address'
  | 'utf8-header'
  | 'eight-bit-header'
  | 'signed'
  | 'encoded'
  | 'unencodable'
  | 'around-parts'
  | 'limits';

/** The status for the sender of the message (RFC 3463 3.7, RFC 6531 3.7.4), where it is none of the conversion itself. */
const ENHANCED: { readonly [code in SevenBitCode]?: string } = {
  'utf8-address': '5.6.7',
  'utf8-header': '5.6.9',
  signed: '5.6.2',
};

/** That a message can't be made 7-bit, and what its sender is told. */
export interface CannotConvert {
  readonly cannot: SevenBitCode;
  /** An enhanced status code (RFC 3463). */
  readonly enhanced: string;
  /** The part, counted from 0 in the order of the message, those that hold others included; null: none of them. */
  readonly part: number | null;
}

export function cannot(code: SevenBitCode, part: number | null): CannotConvert {
  return { cannot: code, enhanced: ENHANCED[code] ?? '5.6.3', part };
}
