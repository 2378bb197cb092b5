// All laws of the client.
import type { ClientClass } from '../../src/index.ts';
import type { Law } from '../laws/law.ts';
import { PAIR_LAWS } from './law-pair.ts';
import { SCENARIO_LAWS } from './law-scenarios.ts';

export const CLIENT_LAWS: readonly Law<ClientClass>[] = [...PAIR_LAWS, ...SCENARIO_LAWS];
