import { didYouMean, isPlain, kindOf, SmtpUsageError, type TableOf } from '@ehlo/engine';
import type { Handler } from './handler.ts';
import { OTHER_NAMES } from './other-names.ts';

/** The methods of a handler: every name. */
const HANDLER_METHODS: TableOf<Handler> = {
  connect: 'call',
  hello: 'call',
  starttls: 'call',
  auth: 'call',
  mail: 'call',
  rcpt: 'call',
  data: 'call',
  message: 'call',
  info: 'call',
  command: 'call',
  xclient: 'call',
  unacknowledged: 'call',
  secured: 'call',
  tlsFailed: 'call',
  notice: 'call',
  error: 'call',
};

/**
 * Throws `SmtpUsageError` `bad-option` for a method that would never be called, and for a name of one that is no function. An object of a class may
 * have methods of its own, but none that looks like one of these; what is no function is its own business.
 */
export function checkHandler(handler: Handler): void {
  const names = Object.keys(HANDLER_METHODS);
  if (typeof handler !== 'object' || handler === null)
    bad(`the handler is ${kindOf(handler)}; it must be an object with methods, such as { rcpt() { … }, message() { … } }`);
  const members = handler as { readonly [name: string]: unknown };
  for (const name of namesOf(handler)) {
    if (Object.hasOwn(HANDLER_METHODS, name) || typeof members[name] !== 'function') continue;
    const hint = didYouMean(name, names, '', OTHER_NAMES);
    if (isPlain(handler) || /^on[A-Z]/.test(name))
      bad(`the handler has a method ${name}, which nobody calls${hint}; it may have ${names.join(', ')}`);
  }
  const odd = names.find((name) => members[name] !== undefined && typeof members[name] !== 'function');
  if (odd !== undefined) bad(`${odd} of the handler is no function`);
}

/** Names of an object, those of its class and of what that is made from too. */
function namesOf(object: object): string[] {
  const names = new Set<string>();
  for (let one: object | null = object; one !== null && one !== Object.prototype; one = Object.getPrototypeOf(one) as object | null) {
    for (const name of Object.getOwnPropertyNames(one)) names.add(name);
  }
  return [...names].filter((name) => name !== 'constructor');
}

function bad(text: string): never {
  throw new SmtpUsageError('bad-option', text);
}
