// All laws.
import type { Law } from './law.ts';
import { DATA_LAWS } from './law-data.ts';
import { ORDER_LAWS } from './law-order.ts';
import { REPLY_LAWS } from './law-replies.ts';
import { SECRET_LAWS } from './law-secrets.ts';
import { STRANGER_LAWS } from './law-strangers.ts';
import { TIME_LAWS } from './law-time.ts';
import { TLS_LAWS } from './law-tls.ts';
import { TOLD_LAWS } from './law-told.ts';
import { WORK_LAWS } from './law-work.ts';

export const LAWS: readonly Law[] = [
  ...ORDER_LAWS,
  ...REPLY_LAWS,
  ...TLS_LAWS,
  ...DATA_LAWS,
  ...SECRET_LAWS,
  ...TIME_LAWS,
  ...WORK_LAWS,
  ...TOLD_LAWS,
  ...STRANGER_LAWS,
];
