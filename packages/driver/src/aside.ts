/** Calls a function of the program's. What it throws is a fault of the program: it is thrown again where nothing of ours is half done. */
export function aside(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
