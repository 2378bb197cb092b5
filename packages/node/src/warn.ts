import { emitWarning } from 'node:process';

/** Tells of a function of the program that fails where nobody listens, as the runtime tells of such things: on standard error, or to who listens for `warning`. */
export function warn(message: string, detail: string): void {
  emitWarning(message, { type: 'HandlerWarning', detail });
}
