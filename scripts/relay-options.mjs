// Writes docs/relay.schema.json, and the tables of options in docs/relay.md, from the table of the relay's configuration; --check compares only.
import { readFileSync, writeFileSync } from 'node:fs';
import { configDocument, configSchema } from '../packages/relay/dist/index.js';
import { between } from './lib/between.mjs';

const check = process.argv.includes('--check');
const SCHEMA = 'docs/relay.schema.json';
const text = `${JSON.stringify(configSchema(), null, 2)}\n`;
const same = between('docs/relay.md', 'options', configDocument(), check);
const isThere = readOr(SCHEMA) === text;
if (!check && !isThere) writeFileSync(SCHEMA, text);
process.exitCode = check && !(same && isThere) ? 1 : 0;

function readOr(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
