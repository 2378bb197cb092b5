/** What is done when signals abort; one listener on each, however many wait for the same. */
export class Signals {
  readonly #calls: Map<AbortSignal, Set<() => void>> = new Map();

  /** Calls it when the signal aborts, or now if it has. Returns what takes that back. */
  add(signal: AbortSignal, call: () => void): () => void {
    if (signal.aborted) {
      call();
      return () => {};
    }
    const calls = this.#calls.get(signal) ?? this.#listen(signal);
    calls.add(call);
    return () => {
      calls.delete(call);
      if (calls.size === 0) this.#forget(signal);
    };
  }

  #listen(signal: AbortSignal): Set<() => void> {
    const calls = new Set<() => void>();
    this.#calls.set(signal, calls);
    signal.addEventListener('abort', this);
    return calls;
  }

  #forget(signal: AbortSignal): void {
    this.#calls.delete(signal);
    signal.removeEventListener('abort', this);
  }

  handleEvent({ target }: Event): void {
    const signal = target as AbortSignal;
    const calls = this.#calls.get(signal) ?? [];
    this.#forget(signal);
    for (const call of calls) call();
  }
}
