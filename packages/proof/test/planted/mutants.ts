// Bugs that servers have had, or could have: each must break the law that is there to prevent it.
import { DIALOGUE_BUGS } from './bugs-dialogue.ts';
import { EXTENSION_BUGS } from './bugs-extensions.ts';
import { INPUT_BUGS } from './bugs-input.ts';
import { STRANGER_BUGS } from './bugs-strangers.ts';
import { TOLD_BUGS } from './bugs-told.ts';
import type { Mutant } from './mutant.ts';

export const MUTANTS: readonly Mutant[] = [...INPUT_BUGS, ...DIALOGUE_BUGS, ...EXTENSION_BUGS, ...TOLD_BUGS, ...STRANGER_BUGS];
