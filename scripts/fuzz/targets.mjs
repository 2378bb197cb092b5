// What is fuzzed: by name, where its inputs begin, the words that they are made of, and what must hold of any input, for `run` throws where it does not.
import { FILES } from './target-files.mjs';
import { MESSAGES } from './target-messages.mjs';
import { SESSIONS } from './target-sessions.mjs';
import { VALUES } from './target-values.mjs';

export const TARGETS = { ...SESSIONS, ...VALUES, ...MESSAGES, ...FILES };
