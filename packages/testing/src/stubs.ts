export { checkStub, checkStubFile } from './check-stubs.ts';
export {
  type Action,
  type After,
  type Duration,
  type Facts,
  type Key,
  KNOWN,
  type Match,
  milliseconds,
  type Pattern,
  STAGES,
  type Stage,
  type Stub,
  type StubFile,
  type StubReply,
} from './stub.ts';
export { type StubHandle, type StubRecord, StubSet, type Verdict } from './stub-set.ts';
