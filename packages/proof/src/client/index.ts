export { Pair, type PairOptions, type Stored } from './pair.ts';
export { PLAIN, type Play, type Played, play, type ScriptVerb, type ServerScript, VERIFIED } from './scripted.ts';
export { type ClientClass, type Errand, type Job, Sender } from './sender.ts';
