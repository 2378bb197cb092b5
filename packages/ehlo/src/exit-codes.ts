/** The exit codes, those above 63 as `sysexits.h` has them. */
export const EXIT = {
  sent: 0,
  refused: 1,
  /** Not valid, or otherwise than it should be. */
  invalid: 1,
  /** The command can't even begin: a bad option, a port in use, a directory that can't be written. */
  usage: 2,
  unreadable: 66,
  unavailable: 69,
  later: 75,
  unknown: 76,
  denied: 77,
} as const;
