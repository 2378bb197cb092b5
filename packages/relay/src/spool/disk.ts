// What a spool does with files: so little that a simulated disk can do it, too.

/** A file that is open. */
export interface DiskFile {
  /** Octets. */
  size(): Promise<number>;
  /** Reads until `into` is full or the file ends: how many octets. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Writes all of it. */
  write(octets: Uint8Array, at: number): Promise<void>;
  /** Resolved: what was written survives a power failure. Rejected: it is unknown, and a second sync would not tell. */
  sync(): Promise<void>;
  /** Cuts the file to this size. */
  cut(size: number): Promise<void>;
  close(): Promise<void>;
}

/** Files and folders by their paths. A name is durable when its folder was synced. */
export interface Disk {
  /** Keeps an existing one. When resolved, its name is durable in any case; when rejected, one that was created is removed again. */
  makeFolder(path: string): Promise<void>;
  /** The names in a folder. */
  list(path: string): Promise<readonly string[]>;
  /** For reading and writing. One that is there already is emptied. */
  create(path: string): Promise<DiskFile>;
  /** For reading and writing. */
  open(path: string): Promise<DiskFile>;
  /** What has the new name already is replaced. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
  /** Octets that there is room for. */
  free(path: string): Promise<number>;
  /** Takes a folder for this process alone, and gives the way to let it go; the end of the process does so, too. */
  lock(path: string): Promise<() => Promise<void>>;
}
