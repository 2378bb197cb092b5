import type { ReplayOptions } from './replay.ts';
import { joined, type Transcript } from './transcript.ts';

/** Up to here every two-way split of an `in` is tried; a longer one is cut around its line ends and dots, and here and there. */
const ALL_SPLITS = 600;

/** The most splits of one long `in`. */
const MOST_SPLITS = 200;

/** Every way in which a transcript is replayed: all must give the same log. */
export function* variants(transcript: Transcript): Generator<ReplayOptions> {
  yield {};
  yield { chunking: 'lines' };
  yield { chunking: 'octets' };
  yield { lateAnswers: true };
  yield { chunking: 'octets', lateAnswers: true };
  for (const [i, step] of transcript.steps.entries()) {
    if (!('in' in step)) continue;
    for (const at of splits(joined(step.in))) yield { chunking: { step: i + 1, at } };
  }
}

/** Where a text is cut in two. */
export function splits(text: string): readonly number[] {
  const all = Array.from({ length: text.length - 1 }, (_, i) => i + 1);
  if (text.length <= ALL_SPLITS) return all;
  const telling = all.filter((at) => /[\r\n.]/.test(text.slice(at - 1, at + 1)));
  const stride = (list: readonly number[]) => Math.max(1, Math.ceil(list.length / (MOST_SPLITS / 2)));
  return [...thin(telling, stride(telling)), ...thin(all, stride(all))];
}

function thin(list: readonly number[], stride: number): readonly number[] {
  return list.filter((_, i) => i % stride === 0 || i === list.length - 1);
}
