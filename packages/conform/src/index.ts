export type {
  Answer,
  Catalogue,
  Check,
  Condition,
  Defect,
  DoStep,
  ExpectStep,
  Needs,
  Octets,
  Protocol,
  Requirement,
  SendStep,
  Stage,
  Step,
  TextRules,
  Verdict,
  WaitStep,
} from './check.ts';
export type { Act, ClientCheck, Rule, Task, WireRule } from './client/check.ts';
export type { Manner } from './client/examiner.ts';
export type { Exit } from './client/judge.ts';
export type { Peer, Silence } from './client/peer.ts';
export {
  type ClientCatalogue,
  type ClientOptions,
  type ClientSelection,
  conformClient,
  runClientCheck,
  type Subject,
  selectedOfClients,
  taskOf,
} from './client/run.ts';
export { type ConformOptions, conform, NoSessionError, selected, showsOf, unmetByOptions } from './conform.ts';
export { expand, namesIn } from './octets.ts';
export { type Counts, countsOf, fails, type Report, reportOf } from './report.ts';
export type { Finding } from './run-check.ts';
export type { DialogueLine } from './session.ts';
export type { Target } from './target.ts';
export type { Dial, Nothing, Wire } from './wire.ts';
