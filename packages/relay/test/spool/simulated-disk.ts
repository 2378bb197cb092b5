// A disk that keeps what was synced, and of all else whatever chance wants: the worst that a file system may do at a power failure.

import type { Disk, DiskFile } from '../../src/spool/index.ts';

/** Numbers that look random and follow from a seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to `most` − 1. */
  below(most: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(((this.#state >>> 8) / 0x100_0000) * most);
  }

  is(once: number): boolean {
    return this.below(once) === 0;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** Something that was changed: `stable` is there for ever, the others may be; a sync does not mend what one has failed with. */
type State = 'pending' | 'doubtful' | 'stable';

interface Write {
  readonly at: number;
  readonly octets: Uint8Array;
  state: State;
  /** Nothing is behind it: the file ends at `at`. */
  readonly isCut?: true;
}

class SimulatedFile {
  octets: Uint8Array = new Uint8Array(0);
  /** What has become of it since its beginning, or since the disk was started. */
  writes: Write[] = [];

  write(octets: Uint8Array, at: number): void {
    this.octets = written(this.octets, octets, at);
    this.writes.push({ at, octets: octets.slice(), state: 'pending' });
  }

  cut(size: number): void {
    this.octets = this.octets.slice(0, size);
    this.writes.push({ at: size, octets: new Uint8Array(0), state: 'pending', isCut: true });
  }

  sync(isGood: boolean): void {
    for (const write of this.writes) if (write.state === 'pending') write.state = isGood ? 'stable' : 'doubtful';
  }

  /** As it is found after a power failure: each sector of what was not synced is there or not. */
  survivor(dice: Dice): SimulatedFile {
    const file = new SimulatedFile();
    // In one place: a copy of the file for each sector would be most of what these tests do.
    const whole = new Uint8Array(this.writes.reduce((most, { at, octets }) => Math.max(most, at + octets.length), 0));
    let size = 0;
    for (const { at, octets, state, isCut } of this.writes) {
      const isAll = state === 'stable' || dice.is(2);
      if (isCut && isAll && at < size) {
        whole.fill(0, at, size);
        size = at;
      }
      for (let from = 0; from < octets.length; from += SECTOR) {
        if (!isAll && !dice.is(2)) continue;
        const sector = octets.subarray(from, from + SECTOR);
        whole.set(sector, at + from);
        size = Math.max(size, at + from + sector.length);
      }
    }
    file.octets = whole.slice(0, size);
    file.writes = [{ at: 0, octets: file.octets, state: 'stable' }];
    return file;
  }
}

const SECTOR = 64;

/** What a name stands for: the last is what is seen now. */
interface Name {
  readonly target: SimulatedFile | 'folder' | null;
  state: State;
}

export interface SimulatedDiskOptions {
  readonly dice: Dice;
  /** Asked before each operation: how it fails, if it does. */
  readonly fault?: (step: number, operation: string, path: string) => string | null;
  /** The operation at which the power fails. Default: none. */
  readonly dies?: number;
  /** Octets that all files may have together. Default: any. */
  readonly room?: number;
}

export class SimulatedDisk implements Disk {
  readonly #names: Map<string, Name[]>;
  readonly #dice: Dice;
  readonly #fault: NonNullable<SimulatedDiskOptions['fault']>;
  readonly #dies: number;
  /** Octets that all files may have together. */
  room: number;
  #steps = 0;
  #isLocked = false;
  #die: () => void = () => {};
  /** Resolves when the power fails. */
  readonly died: Promise<void> = new Promise((resolve) => {
    this.#die = resolve;
  });

  constructor(
    { dice, fault = () => null, dies = Number.POSITIVE_INFINITY, room = Number.POSITIVE_INFINITY }: SimulatedDiskOptions,
    names: Map<string, Name[]> = new Map(),
  ) {
    this.#dice = dice;
    this.#fault = fault;
    this.#dies = dies;
    this.room = room;
    this.#names = names;
  }

  /** Operations so far. */
  get steps(): number {
    return this.#steps;
  }

  /** The paths of all files as they are seen now. */
  get files(): readonly string[] {
    return [...this.#names.keys()].filter((path) => this.#seen(path) instanceof SimulatedFile);
  }

  /** The octets of a file, to be damaged. */
  octets(path: string): Uint8Array {
    return this.#file(path).octets;
  }

  /** Puts other octets into a file, as if they had always been there. */
  damage(path: string, octets: Uint8Array): void {
    const file = this.#file(path);
    file.octets = octets.slice();
    file.writes = [{ at: 0, octets: file.octets, state: 'stable' }];
  }

  /** The power fails now: no operation that is under way, and no later one, ever ends. */
  powerOff(): void {
    this.#steps = Number.POSITIVE_INFINITY;
    this.#die();
  }

  /** The disk as it is found after the power has failed; after the end of a process alone, `isPowerFailure` false, it is as it was seen last. */
  restarted(options: SimulatedDiskOptions, isPowerFailure = true): SimulatedDisk {
    const { dice } = options;
    const survivors = new Map<SimulatedFile, SimulatedFile>();
    const names = new Map<string, Name[]>();
    for (const [path, all] of this.#names) {
      if (!isPowerFailure) {
        names.set(path, all);
        continue;
      }
      const last = lastStable(all);
      const candidates = all.slice(Math.max(last, 0)).map(({ target }) => target);
      if (last === -1) candidates.push(null);
      const target = dice.of(candidates);
      if (target === null) continue;
      const survivor = target === 'folder' ? target : (survivors.get(target) ?? target.survivor(dice));
      if (target !== 'folder') survivors.set(target, survivor as SimulatedFile);
      names.set(path, [{ target: survivor, state: 'stable' }]);
    }
    // What stands in a folder that is not there is not there.
    const isThere = (path: string): boolean => parentOf(path) === '' || (names.has(parentOf(path)) && isThere(parentOf(path)));
    if (isPowerFailure) for (const path of [...names.keys()]) if (!isThere(path)) names.delete(path);
    return new SimulatedDisk(options, names);
  }

  async makeFolder(path: string): Promise<void> {
    await this.#step('makeFolder', path);
    const isNew = this.#seen(path) !== 'folder';
    if (isNew) this.#name(path, 'folder');
    try {
      await this.syncFolder(parentOf(path));
    } catch (error) {
      if (isNew) this.#name(path, null);
      throw error;
    }
  }

  async list(path: string): Promise<readonly string[]> {
    await this.#step('list', path);
    this.#need(path);
    return [...this.#names.keys()]
      .filter((one) => parentOf(one) === path && this.#seen(one) !== null)
      .map((one) => one.slice(path.length + 1));
  }

  async create(path: string): Promise<DiskFile> {
    await this.#step('create', path);
    this.#need(parentOf(path));
    const file = new SimulatedFile();
    this.#name(path, file);
    return this.#handle(file, path);
  }

  async open(path: string): Promise<DiskFile> {
    await this.#step('open', path);
    return this.#handle(this.#file(path), path);
  }

  async rename(from: string, to: string): Promise<void> {
    const move = (): void => {
      const file = this.#file(from);
      this.#need(parentOf(to));
      this.#name(to, file);
      this.#name(from, null);
    };
    await this.#step('rename', to, move);
    move();
  }

  async remove(path: string): Promise<void> {
    const take = (): void => {
      if (this.#seen(path) === null) throw absent(path);
      this.#name(path, null);
    };
    await this.#step('remove', path, take);
    take();
  }

  async syncFolder(path: string): Promise<void> {
    const sync = (isGood: boolean): void => {
      for (const [one, all] of this.#names) {
        if (parentOf(one) !== path) continue;
        for (const name of all) if (name.state === 'pending') name.state = isGood ? 'stable' : 'doubtful';
        const last = lastStable(all);
        if (last > 0) all.splice(0, last);
      }
    };
    await this.#step('syncFolder', path, () => sync(false));
    sync(true);
  }

  async free(path: string): Promise<number> {
    await this.#step('free', path);
    return this.#free;
  }

  get #free(): number {
    if (this.room === Number.POSITIVE_INFINITY) return this.room;
    return this.files.reduce((free, path) => free - this.octets(path).length, this.room);
  }

  async lock(): Promise<() => Promise<void>> {
    if (this.#isLocked) throw new Error('locked');
    this.#isLocked = true;
    return async () => {
      this.#isLocked = false;
    };
  }

  #handle(file: SimulatedFile, path: string): DiskFile {
    return {
      size: async () => {
        await this.#step('size', path);
        return file.octets.length;
      },
      read: async (into, at) => {
        await this.#step('read', path);
        const octets = file.octets.subarray(at, at + into.length);
        into.set(octets);
        return octets.length;
      },
      write: async (octets, at) => {
        await this.#step('write', path, () => file.write(octets.subarray(0, this.#dice.below(octets.length + 1)), at));
        const more = Math.max(0, at + octets.length - file.octets.length);
        if (more > this.#free) {
          file.write(octets.subarray(0, octets.length - more + Math.max(0, this.#free)), at);
          throw Object.assign(new Error(`ENOSPC: ${path}`), { code: 'ENOSPC' });
        }
        file.write(octets, at);
      },
      sync: async () => {
        await this.#step('sync', path, () => file.sync(false));
        file.sync(true);
      },
      cut: async (size) => {
        await this.#step('cut', path, () => file.cut(size));
        file.cut(size);
      },
      close: async () => {},
    };
  }

  /** One operation begins: it fails, perhaps having done a part of its work, or the power does, or it goes on after a while. */
  async #step(operation: string, path: string, part: () => void = () => {}): Promise<void> {
    const step = this.#steps++;
    for (let turns = this.#dice.below(4); turns > 0; turns--) await null;
    if (step >= this.#dies || this.#steps === Number.POSITIVE_INFINITY) {
      // A sync that was cut short has not failed: the system still has what is to be written.
      if (step === this.#dies && this.#dice.is(2) && !operation.startsWith('sync')) attempt(part);
      this.powerOff();
      await new Promise(() => {});
    }
    const code = this.#fault(step, operation, path);
    if (code === null) return;
    if (this.#dice.is(2) || operation.startsWith('sync')) attempt(part);
    throw Object.assign(new Error(`${code}: simulated, ${operation} ${path}`), { code });
  }

  #name(path: string, target: Name['target']): void {
    const all = this.#names.get(path) ?? [];
    all.push({ target, state: 'pending' });
    this.#names.set(path, all);
  }

  #seen(path: string): Name['target'] {
    return this.#names.get(path)?.at(-1)?.target ?? null;
  }

  #need(folder: string): void {
    if (folder !== '' && this.#seen(folder) !== 'folder') throw absent(folder);
  }

  #file(path: string): SimulatedFile {
    const file = this.#seen(path);
    if (file === null || file === 'folder') throw absent(path);
    return file;
  }
}

/** −1: none is. */
function lastStable(all: readonly Name[]): number {
  return all.map(({ state }) => state).lastIndexOf('stable');
}

function absent(path: string): Error {
  return Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
}

function attempt(part: () => void): void {
  try {
    part();
  } catch {
    // It could not have been done.
  }
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

function written(before: Uint8Array, octets: Uint8Array, at: number): Uint8Array {
  const after = new Uint8Array(Math.max(before.length, at + octets.length));
  after.set(before);
  after.set(octets, at);
  return after;
}
