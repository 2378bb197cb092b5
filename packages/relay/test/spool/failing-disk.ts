import { Dice, SimulatedDisk } from './simulated-disk.ts';

/** A disk of which some operations fail while that is wished for; no name is given then. */
export class FailingDisk extends SimulatedDisk {
  fails: ((operation: string, path: string) => boolean) | null = null;

  constructor() {
    super({ dice: new Dice(1), fault: (_, operation, path) => (this.fails?.(operation, path) === true ? 'EIO' : null) });
  }

  override async rename(from: string, to: string): Promise<void> {
    if (this.fails?.('rename', to) === true) throw Object.assign(new Error(`EIO: ${to}`), { code: 'EIO' });
    await super.rename(from, to);
  }
}
