import { PRESETS, ServerSession } from '@ehlo/engine';
import type { Effort } from './row.ts';
import { commands, inChunks, lines, SHAPES, type Shape, sequential, sizeOf, type Workload } from './workload.ts';

/** What a socket gives at a time. */
const CHUNK = 65_536;

/** Octets of a body. */
const BODY = 4 * 1024 * 1024;

/** A session with no socket: octets in, replies and chunks out, nothing else. */
class Bare {
  readonly #session: ServerSession = new ServerSession({
    hostname: 'bench.example',
    preset: 'mx',
    ask: ['rcpt', 'message'],
    extensions: [...PRESETS.mx.extensions, 'BINARYMIME'],
    limits: { transactions: 999_999_999, idleCommands: 999_999_999 },
  });
  #replies = 0;
  #content = 0;

  constructor({ opening }: Workload) {
    this.#pull();
    for (const { bytes } of opening) this.receive(bytes);
  }

  receive(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += CHUNK) {
      this.#session.receive(bytes.subarray(at, at + CHUNK));
      this.#pull();
    }
  }

  /** Octets of replies and of content since the last time. */
  taken(): { readonly replies: number; readonly content: number } {
    const taken = { replies: this.#replies, content: this.#content };
    this.#replies = this.#content = 0;
    return taken;
  }

  /** As SERVER.md has it: events and output in turns, until there is no more of either. */
  #pull(): void {
    const session = this.#session;
    for (let output: Uint8Array | null = EMPTY; output !== null; ) {
      for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) {
        if (event.type === 'chunk') this.#content += event.bytes.length;
        else if (event.type === 'rcpt' || event.type === 'message') session.accept(event);
      }
      output = session.nextOutput();
      if (output === null) continue;
      session.written(output.length);
      this.#replies += output.length;
    }
  }
}

const EMPTY = new Uint8Array(0);

export interface EngineFigures {
  /** Commands a second, pipelined. */
  readonly commands: number[];
  /** MiB a second, per shape of the body. */
  readonly bodies: Record<Shape, number[]>;
  /** MiB a second by BDAT, of lines of 76: looked at for line ends, and as binary. */
  readonly chunks: { readonly text: number[]; readonly binary: number[] };
}

/** The engine alone, in this process. */
export function measureEngine({ rounds, warmUp, milliseconds }: Effort): EngineFigures {
  const pipeline = commands();
  const shapes = (Object.keys(SHAPES) as Shape[]).map((shape) => ({ shape, message: lines(SHAPES[shape], BODY) }));
  const figures: EngineFigures = {
    commands: [],
    bodies: { lines76: [], dots76: [], dots4: [], prose: [], nolf: [] },
    chunks: { text: [], binary: [] },
  };
  const content = lines(SHAPES.lines76, BODY);
  for (let round = -warmUp; round < rounds; round++) {
    const cycles = perSecond(pipeline, milliseconds);
    if (round >= 0) figures.commands.push(cycles * pipeline.cycle[0]!.answers.length);
    for (const { shape, message } of shapes) {
      const workload = sequential(message);
      const rate = (perSecond(workload, milliseconds) * sizeOf(workload.cycle)) / 1024 / 1024;
      if (round >= 0) figures.bodies[shape].push(rate);
    }
    for (const kind of ['text', 'binary'] as const) {
      const workload = inChunks(content, kind === 'binary');
      const rate = (perSecond(workload, milliseconds) * sizeOf(workload.cycle)) / 1024 / 1024;
      if (round >= 0) figures.chunks[kind].push(rate);
    }
  }
  return figures;
}

/** Cycles a second; throws unless each gives the same replies, and all of the content. */
function perSecond(workload: Workload, milliseconds: number): number {
  const session = new Bare(workload);
  const cycle = (): { readonly replies: number; readonly content: number } => {
    session.taken();
    for (const { bytes } of workload.cycle) session.receive(bytes);
    return session.taken();
  };
  const first = cycle();
  if (first.content !== workload.octets) throw new Error(`the engine gave ${first.content} octets of ${workload.octets}`);
  const start = performance.now();
  let count = 0;
  do {
    const { replies, content } = cycle();
    if (replies !== first.replies || content !== first.content) throw new Error('the engine gave other octets for the same ones');
    count++;
  } while (performance.now() - start < milliseconds);
  return (count * 1000) / (performance.now() - start);
}
