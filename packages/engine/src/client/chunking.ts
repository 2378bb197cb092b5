import { encodeUtf8 } from '@ehlo/grammar';
import { concat, EMPTY } from '../octets.ts';
import type { Body, Part } from './body.ts';
import type { ClientCore } from './core.ts';

/** BDAT (RFC 3030), where the server offers CHUNKING. */
export interface ChunkingFeature {
  readonly name: 'chunking';
  parts(core: ClientCore, body: Body): Part[];
}

/** Chunks that wait for their replies, with pipelining. */
const MOST_CHUNKS = 8;

/** Names BDAT among the features of a client session: a message goes by BDAT where the server offers CHUNKING, else by DATA. */
export const CHUNKING: ChunkingFeature = { name: 'chunking', parts };

function parts(core: ClientCore, body: Body): Part[] {
  const { writer, ended, transaction } = body;
  if (core.due.length >= (core.pipelines('envelope') ? MOST_CHUNKS : 1)) return [];
  const block = writer.next();
  const last = ended && writer.idle;
  if (block === null && !last) return [];
  const bytes = concat([block ?? EMPTY, encodeUtf8(last ? writer.finish() : '')]);
  const command = encodeUtf8(`BDAT ${bytes.length}${last ? ' LAST' : ''}\r\n`);
  const size = command.length + bytes.length;
  const due = core.expect(last ? 'END' : 'BDAT', transaction, 0, size);
  return [
    { bytes: command, due: null },
    { bytes, due },
  ];
}
