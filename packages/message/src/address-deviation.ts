/** The stable name of a way in which addresses differ from RFC 5322 3.4. */
export type AddressDeviation =
  | 'old-space'
  | 'old-characters'
  | 'old-phrase'
  | 'old-local-part'
  | 'route'
  | 'empty-element'
  | 'no-address'
  | 'no-domain'
  | 'semicolon-separator'
  | 'misplaced-dot-local'
  | 'trailing-dot-domain'
  | 'unclosed-angle'
  | 'text-behind-address'
  | 'odd-phrase'
  | 'octets-beyond-utf8';

/** The letter of RFC 5322 3.4. */
export const ADDRESS_LETTER: ReadonlySet<AddressDeviation> = /* @__PURE__ */ new Set();

/** The obsolete forms that every reader must accept (RFC 5322 4): all readers find the same addresses. */
export const OBSOLETE_ADDRESS: ReadonlySet<AddressDeviation> = /* @__PURE__ */ new Set<AddressDeviation>([
  'old-space',
  'old-characters',
  'old-phrase',
  'old-local-part',
  'route',
  'empty-element',
]);

/** All of them: for programs that show a message; not for programs that decide by an address. */
export const ANY_ADDRESS: ReadonlySet<AddressDeviation> = /* @__PURE__ */ new Set<AddressDeviation>([
  ...OBSOLETE_ADDRESS,
  'no-address',
  'no-domain',
  'semicolon-separator',
  'misplaced-dot-local',
  'trailing-dot-domain',
  'unclosed-angle',
  'text-behind-address',
  'odd-phrase',
  'octets-beyond-utf8',
]);
