export { type AddressClass, addressClass } from './address-class.ts';
export type { KeptAnswer } from './answer.ts';
export { applyChange, isAcceptance, isOver, isSettled, newJob, putOf } from './change.ts';
export { classify, movedTo, type Suppression, suppressionOf, type Verdict } from './classify.ts';
export { type DaneState, isUsableTlsa } from './dane.ts';
export { demandOf, tlsWish } from './demand.ts';
export { Dispatcher, type DispatcherParts } from './dispatcher.ts';
export type * from './fact.ts';
export { HostBook, type HostState } from './hosts.ts';
export type * from './job.ts';
export { FINAL_STATES } from './job.ts';
export { type MxHost, type MxList, readMx, shuffleTies, withoutSelf } from './mx.ts';
export type * from './order.ts';
export type * from './queue.ts';
export type * from './records.ts';
export { CODES, ENHANCED, REPLY_RULES, type ReplyAction, type ReplyRule } from './reply-rules.ts';
export { dueAfter } from './retry.ts';
export { type Answers, type DomainRoute, type RoutedHost, type RouteProblem, routeOf } from './route.ts';
export {
  DELIVERY_PRESETS,
  type DeliveryOptions,
  type DeliveryPreset,
  type DeliverySettings,
  deliverySettings,
  type Expansion,
  type Route,
  type RouteHost,
} from './settings.ts';
export type { Step, StepName } from './step.ts';
export { isStsHost, type KeptPolicy, PolicyBook, parseStsPolicy, parseStsRecord, type StsPolicy } from './sts.ts';
export type { TlsDemand, TlsMode, TlsReason } from './tls-demand.ts';
export { parseTlsrptRecord, type TlsDomainReport, type TlsEvent } from './tls-ledger.ts';
