import type { Chance } from './chance.ts';
import type { Heap } from './heap.ts';
import type { Held } from './held.ts';
import type { HostBook } from './hosts.ts';
import type { EpochMs } from './job.ts';
import type { Orders } from './orders.ts';
import type { DeliverySettings } from './settings.ts';
import type { PolicyBook } from './sts.ts';
import type { TlsLedger } from './tls-ledger.ts';

/** Something that happens at a time. */
export interface Alarm {
  place: number;
  at: EpochMs;
  ring(): void;
}

/** What all parts of one machine share. */
export interface Context {
  readonly settings: DeliverySettings;
  readonly orders: Orders;
  readonly hosts: HostBook;
  readonly policies: PolicyBook;
  readonly ledger: TlsLedger;
  readonly chance: Chance;
  readonly alarms: Heap<Held | Alarm>;
  /** Never goes back. */
  now: EpochMs;
}

/** Sets an alarm anew. */
export function setAlarm({ alarms }: Context, alarm: Held | Alarm, at: EpochMs): void {
  alarm.at = at;
  alarms.put(alarm);
}

/** An alarm that is not set yet. */
export function alarm(ring: () => void): Alarm {
  return { place: -1, at: 0, ring };
}
