/** How much an event matters. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** What a relay tells of what happens: a name, and facts, no secret and no content among them. */
export type RelayLog = (level: LogLevel, event: string, facts?: { readonly [name: string]: unknown }) => void;
