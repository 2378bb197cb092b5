/** What a check has shown. `permitted`: not what is asked for first, but left open by the standard. `inconclusive`: it ran, and could not be decided. */
export type Verdict = 'conforms' | 'permitted' | 'inconclusive' | 'violates';

/** The protocol that is examined. */
export type Protocol = 'smtp' | 'submission' | 'lmtp';

/** How far a session is when the first step of a check is done. */
export type Stage = 'connected' | 'greeted' | 'hello' | 'ready' | 'mail' | 'rcpt' | 'data';

/** Octets as text, one character (U+0000 to U+00FF) an octet; or parts of which some are repeated. `{name}` stands for a variable. */
export type Octets = string | readonly (string | { readonly repeat: string; readonly times: number })[];

/** What it means that an answer came which is not the one that is expected. */
export interface Answer {
  readonly answers: readonly string[];
  readonly verdict: Verdict;
  readonly section?: string;
  readonly because?: string;
  readonly as?: string;
  readonly stop?: true;
}

/** What the text of a reply must be like; regular expressions. */
export interface TextRules {
  readonly first?: string;
  readonly rest?: string;
  readonly every?: string;
  readonly some?: string;
  readonly none?: string;
  readonly lines?: number;
  readonly form?: readonly Defect[];
  readonly else?: { readonly verdict: 'permitted' | 'inconclusive'; readonly section?: string; readonly because: string };
}

/** What can be wrong with a reply as octets. */
export type Defect = 'bare-line-end' | 'code' | 'separator' | 'bare-code' | 'codes-differ' | 'too-long' | 'not-ascii' | 'control';

/** A step that waits for something. */
export interface ExpectStep extends Condition {
  readonly expect: readonly string[];
  readonly take?: 'reply' | 'line' | 'content';
  readonly times?: number;
  readonly within?: number;
  readonly text?: TextRules;
  readonly also?: readonly Answer[];
  readonly shows?: readonly string[];
}

/** A step that sends octets, in one write or each by itself. */
export interface SendStep extends Condition {
  readonly send: Octets;
  readonly cut?: 'octets';
}

/** A step that lets milliseconds pass. */
export interface WaitStep extends Condition {
  readonly wait: number;
}

/** A step that does something to the connection. */
export interface DoStep extends Condition {
  readonly do: 'end' | 'reset' | 'secure';
  readonly fails?: { readonly verdict: 'conforms' | 'permitted' | 'violates'; readonly section?: string; readonly because: string };
}

/** When a step is done: always, or as an answer that came has a name in `as`. */
export interface Condition {
  readonly if?: string;
  readonly unless?: string;
}

/** A step of a check. */
export type Step = SendStep | WaitStep | DoStep | ExpectStep;

/** What has to hold for a check to be run. */
export interface Needs {
  readonly keywords?: readonly string[];
  readonly absent?: readonly string[];
  readonly size?: true;
  readonly to?: number;
  readonly from?: true;
  readonly user?: true;
  readonly login?: false;
  readonly tls?: 'clear' | 'active' | 'starttls';
  readonly slow?: true;
}

/** A check of a server, as `test-vectors/wire/server/*.json` has them; the schema is `test-vectors/schema/wire.schema.json`. */
export interface Check {
  readonly id: string;
  readonly title: string;
  readonly for: readonly Protocol[];
  readonly needs?: Needs;
  readonly begin: Stage;
  readonly steps: readonly Step[];
}

/** A requirement that checks show. */
export interface Requirement {
  readonly id: string;
  /** `RFC 5321 4.1.4`; absent for what is from no standard. */
  readonly section?: string;
  readonly level?: string;
  readonly statement: string;
}

/** The checks, and the requirements that they name. */
export interface Catalogue {
  readonly checks: readonly Check[];
  readonly requirements: { readonly [id: string]: Requirement };
}
