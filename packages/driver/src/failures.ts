import { guardedExtension, type ServerOptions } from '@ehlo/engine';
import type { CallbackName, Handler, Session } from './handler.ts';
import { notify, once, type Warn } from './notify.ts';

/** Where the failures of a server's program go: to the handler's `error`, else, and once, to `warn`. */
export class Failures {
  readonly #handler: Handler;
  readonly #warn: (error: unknown, what: string) => void;

  constructor(handler: Handler, warn: Warn) {
    this.#handler = handler;
    this.#warn = once(warn);
  }

  tell(error: unknown, method: CallbackName, session: Session | null): void {
    const handler = this.#handler;
    if (handler.error === undefined) this.#warn(error, `the handler has failed at ${method}, and has no method error to be told of it`);
    else {
      notify(
        () => handler.error!(error, method, session),
        (again) => this.#warn(again, "the handler's method error has failed"),
      );
    }
  }
}

/** The options with the program's extensions wrapped so that their errors are reported. */
export function withToldExtensions(options: ServerOptions, failures: Failures): ServerOptions {
  const { extensions } = options;
  if (extensions === undefined) return options;
  const failed = (error: unknown): void => failures.tell(error, 'extension', null);
  return { ...options, extensions: extensions.map((one) => (typeof one === 'string' ? one : guardedExtension(one, failed))) };
}
