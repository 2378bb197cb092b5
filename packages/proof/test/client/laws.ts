// All laws of the client.
import type { ClientClass } from '../../src/index.ts';
import type { Law } from '../laws/law.ts';
import { CLIENT_ORDER_LAWS } from './law-order.ts';
import { PAIR_LAWS } from './law-pair.ts';
import { SCENARIO_LAWS } from './law-scenarios.ts';
import { CLIENT_SECRET_LAWS } from './law-secrets.ts';
import { STUB_LAWS } from './law-stubs.ts';
import { CLIENT_WIRE_LAWS } from './law-wire.ts';
import { CLIENT_WORK_LAWS } from './law-work.ts';

export const CLIENT_LAWS: readonly Law<ClientClass>[] = [
  ...CLIENT_ORDER_LAWS,
  ...CLIENT_SECRET_LAWS,
  ...CLIENT_WIRE_LAWS,
  ...CLIENT_WORK_LAWS,
  ...PAIR_LAWS,
  ...STUB_LAWS,
  ...SCENARIO_LAWS,
];
