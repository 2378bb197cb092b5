// Writes test-vectors/states.json from the tables of the engine and the words beside this script. Runs after a build; --check compares only.
import { readFileSync, writeFileSync } from 'node:fs';
import { CLIENT_TABLE, GUARDS, LMTP_REPLIES, REPLIES, TABLE, TRANSACTION_TABLE } from '../packages/engine/dist/index.js';
import { clientStates } from './lib/client-states.mjs';
import * as words from './lib/server-states.mjs';

const FILE = 'test-vectors/states.json';

const states = { $schema: './schema/states.schema.json', server: server(), ...clientStates(CLIENT_TABLE, TRANSACTION_TABLE) };
// A line a row: what changes is seen.
const text = `${JSON.stringify(states, null, 2)
  .replaceAll(/\{\n\s+"from"[\s\S]*?\n {6}\}/g, oneLine)
  .replaceAll(/\[\n\s+("[^[\]{}]*?")\n\s+\]/g, oneLine)}\n`;

// What the page of `ehlo serve --web` draws of it.
const { phases, guards, effects, replies, rows } = states.server;
const drawn = `${JSON.stringify({ phases, guards: sayings(guards), effects: sayings(effects), replies, rows })}\n`;

for (const [file, content] of [
  [FILE, text],
  ['packages/web/page/states.json', drawn],
]) {
  if (!process.argv.includes('--check')) writeFileSync(file, content);
  else if (readFileSync(file, 'utf8') !== content) process.exitCode = 1;
}

/** Their sentences alone. */
function sayings(of) {
  return Object.fromEntries(Object.entries(of).map(([name, { what }]) => [name, { what }]));
}

function server() {
  const rows = TABLE.map(({ from, on, guards = [], checks = [], when = [], asks, effect, reply, to, cause, refuse }) => {
    const optional = { asks, effect, reply, to, cause, refuse };
    const lists = { guards, checks, when };
    return {
      from,
      on,
      ...Object.fromEntries(Object.entries(lists).filter(([, names]) => names.length > 0)),
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    };
  });
  const refusing = Object.entries(GUARDS).map(([name, { reply, fault, closes }]) => [
    name,
    { ...said(words.GUARDS, name), refuses: { reply, fault, ...(closes === undefined ? {} : { closes }) } },
  ]);
  const choosing = Object.keys(words.CONDITIONS).map((name) => [name, said(words.CONDITIONS, name)]);
  return {
    phases: words.PHASES,
    guards: Object.fromEntries([...refusing, ...choosing]),
    effects: words.EFFECTS,
    reading: words.READING,
    closing: words.CLOSING,
    bare: words.BARE,
    instead: words.INSTEAD,
    faults: words.FAULTS,
    unanswered: words.UNANSWERED,
    replies: Object.fromEntries(Object.keys(REPLIES).map((name) => [name, replyOf(name)])),
    rows,
  };
}

/** Code and enhanced code of a reply, and those of LMTP where they are others. */
function replyOf(name) {
  const codes = ({ code, enhanced }) => (enhanced === undefined ? { code } : { code, enhanced });
  const lmtp = LMTP_REPLIES[name];
  return { ...codes(REPLIES[name]), ...(lmtp === undefined ? {} : { lmtp: codes(lmtp) }) };
}

function said(of, name) {
  const found = of[name];
  if (found === undefined) throw new Error(`scripts/lib/server-states.mjs has no words for ${name}`);
  return found;
}

function oneLine(part) {
  return part.replaceAll(/\n\s+/g, ' ').replaceAll('[ ', '[').replaceAll(' ]', ']');
}
