import { showText } from '@ehlo/engine';
import type { LogConfig, RelayLog } from '@ehlo/relay';
import { jsonLine } from './json-line.ts';

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** Writes what a relay tells: a JSON object a line, or a line for people, `2026-01-01T00:00:00.000Z info queued id=… from=…`. */
export function relayLog({ format, level: least }: LogConfig, write: (line: string) => void, now: () => Date = () => new Date()): RelayLog {
  const most = LEVELS.indexOf(least);
  return (level, event, facts = {}) => {
    if (LEVELS.indexOf(level) > most) return;
    const time = now().toISOString();
    if (format === 'json') return write(jsonLine({ time, level, event, ...facts }));
    const words = Object.entries(facts).filter(([, value]) => value !== undefined);
    write([time, level, event, ...words.map(([name, value]) => `${name}=${valueText(value)}`)].join(' '));
  };
}

/** A value without what would end it, or move the cursor of a terminal. */
function valueText(value: unknown): string {
  const text = Array.isArray(value) ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : String(value);
  const shown = showText(text);
  return shown === '' || /[\s"=]/.test(shown) ? JSON.stringify(shown) : shown;
}
