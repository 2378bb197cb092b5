/** `Extended-Domain`: a name, and what the server itself knew of the connection. */
export interface ExtendedDomain {
  /** As it is written: of FROM, mostly what the client said in EHLO. */
  readonly name: string;
  /** `TCP-info`: the host's name, if it was looked up, and its address literal. */
  readonly host?: string;
  readonly literal?: string;
  /** What the client said in EHLO, where the field has it apart from the name. */
  readonly helo?: string;
}

/** A trace field as it stands in a message (RFC 5321 4.4, Time-stamp-line). What is null is not there, and told as a deviation. */
export interface TraceField {
  readonly from: ExtendedDomain | null;
  readonly by: ExtendedDomain | null;
  /** VIA, WITH, ID, FOR and any other clause, by its name in capitals, in order; of two with one name the first. */
  readonly clauses: ReadonlyMap<string, string>;
  /** Milliseconds since 1970-01-01T00:00Z. */
  readonly date: number | null;
  /** Minutes east of UT. */
  readonly offset: number;
}
