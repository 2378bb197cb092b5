/** The stable name of a way in which a message with parts differs from RFC 2046 5, or of a limit that it met. */
export type MultipartDeviation =
  | 'no-boundary'
  | 'odd-boundary'
  | 'same-boundary'
  | 'padded-boundary'
  | 'text-behind-boundary'
  | 'bare-lf-boundary'
  | 'no-close-delimiter'
  | 'no-parts'
  | 'encoded-composite'
  | 'header-refused'
  | 'too-deep'
  | 'too-many-parts';
