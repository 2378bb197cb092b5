// All laws.
import type { Law } from './law.ts';
import { ORDER_LAWS } from './law-order.ts';

export const LAWS: readonly Law[] = [...ORDER_LAWS];
