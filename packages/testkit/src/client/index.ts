export { Pair, type PairOptions, type Stored } from './pair.ts';
export { type ClientClass, type Errand, type Job, Sender } from './sender.ts';
