import { visible } from './visible.ts';

const ENTITIES: { readonly [character: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text that can stand in an element or an attribute of XML and HTML. Lines stay lines; what else is not printed is made visible. */
export function escapeMarkup(text: string): string {
  return text.replaceAll(/[^\n -~…“”’–]/gu, visible).replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}
