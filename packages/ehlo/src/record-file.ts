import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Around } from '@ehlo/driver';
import { NotReplayable, type Recording, recorded, transcribe } from '@ehlo/proof/vectors';

/** Octets of all sessions that are open. */
const OPEN = 64 * 1024 * 1024;

/** Octets of one run that are written. */
const WRITTEN = 1024 * 1024 * 1024;

/** Writes sessions to a file as transcripts, one a line, each when it is over. Only its owner may read it: mail is in it, but no secret of AUTH. */
export class RecordFile {
  readonly #stream: WriteStream;
  readonly #warn: (line: string) => void;
  readonly #began: string = new Date().toISOString();
  #sessions = 0;
  #open = 0;
  #written = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(stream: WriteStream, warn: (line: string) => void) {
    this.#stream = stream;
    this.#warn = warn;
  }

  /** Adds to the file, or makes it; rejects where that can't be. */
  static async open(path: string, warn: (line: string) => void): Promise<RecordFile> {
    const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
    await new Promise<void>((resolve, reject) => {
      stream.once('open', () => resolve());
      stream.once('error', (error) => reject(new Error(`--record: ${error.message}`)));
    });
    stream.on('error', (error) => warn(`--record: ${error.message}`));
    return new RecordFile(stream, warn);
  }

  /** For each session of a server. */
  readonly around: Around = (session, options, facts) => {
    const number = ++this.#sessions;
    const began = new Date().toISOString();
    let held = 0;
    return recorded(session, options, facts, {
      room: (octets) => {
        if (this.#open + octets > OPEN) return false;
        this.#open += octets;
        held += octets;
        return true;
      },
      ended: (recording) => {
        this.#writing = this.#writing.then(() => {
          this.#write(recording, number, began);
          this.#open -= held;
        });
      },
    });
  };

  /** What has ended is written. */
  async close(): Promise<void> {
    await this.#writing;
    this.#stream.end();
    await finished(this.#stream).catch(() => {});
  }

  #write(recording: Recording, number: number, began: string): void {
    if (this.#written > WRITTEN) return;
    const peer = recording.facts.peer?.address || 'a client';
    const why = `A session with ${peer} that began ${began}${recording.cut ? '; it went on, but there was no room for more' : ''}.`;
    try {
      const name = `session-${this.#began.replaceAll(/\D/g, '')}-${number}`;
      const line = `${JSON.stringify(transcribe(recording, name, why))}\n`;
      this.#written += line.length;
      this.#stream.write(line);
      if (this.#written > WRITTEN) this.#warn('--record: the file has 1 GiB of this run; nothing more is recorded');
    } catch (error) {
      if (!(error instanceof NotReplayable)) throw error;
      this.#warn(`session ${number} is not recorded: ${error.message}`);
    }
  }
}
