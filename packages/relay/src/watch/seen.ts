// What is seen of a relay while it works: the calls of its means, when they are over.

import type {
  BegunAttempt,
  DnsAnswer,
  EpochMs,
  Failed,
  Job,
  JobChange,
  JobId,
  LookupOrder,
  Opened,
  OpenOrder,
  OperatorWish,
  PolicyAnswer,
  PolicyOrder,
} from '@ehlo/delivery';

/** `at`: when it was over. `ms`: how long it took. */
export type Seen = { readonly at: EpochMs } & (
  | { readonly type: 'put'; readonly jobs: readonly Job[]; readonly ms: number }
  | { readonly type: 'begun'; readonly job: Job; readonly attempt: BegunAttempt; readonly ms: number }
  /** `job` as it was leased; `isWhole` false: the lease was another's, and only acceptances were written, with the notices that tell of nothing else. */
  | { readonly type: 'settled'; readonly job: Job; readonly change: JobChange; readonly isWhole: boolean; readonly ms: number }
  | { readonly type: 'opened'; readonly order: OpenOrder; readonly opened: Omit<Opened, 'type' | 'to'> }
  | { readonly type: 'unreached'; readonly order: OpenOrder; readonly failed: Omit<Failed, 'type' | 'to'> }
  | { readonly type: 'ended'; readonly order: OpenOrder }
  | { readonly type: 'looked-up'; readonly order: LookupOrder; readonly answer: Omit<DnsAnswer, 'type' | 'to'> }
  | { readonly type: 'policy'; readonly order: PolicyOrder; readonly answer: Omit<PolicyAnswer, 'type' | 'to'> }
  | { readonly type: 'failed'; readonly what: string; readonly error: unknown }
  | { readonly type: 'wished'; readonly what: OperatorWish['what']; readonly job: JobId }
);

/** Is told of what is seen, at once; it must not throw. */
export type Watcher = (seen: Seen) => void;
