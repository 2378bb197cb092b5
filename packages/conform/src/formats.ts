import { html } from './formats/html.ts';
import { json } from './formats/json.ts';
import { junit } from './formats/junit.ts';
import { md } from './formats/md.ts';
import { text } from './formats/text.ts';
import type { Report } from './report.ts';

export { visible } from './formats/visible.ts';

/** Reports as text, by the name of the format. Text of a peer is inert in each: controls are escaped, and so is what means something there. */
export const FORMATS: { readonly [format in Format]: (report: Report) => string } = { text, json, junit, html, md };

/** How a report can be written. */
export type Format = 'text' | 'json' | 'junit' | 'html' | 'md';
