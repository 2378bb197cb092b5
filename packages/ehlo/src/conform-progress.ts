/** How far an examination is, on a terminal; nowhere else. */
export function meter(total: number): { draw(done: number, next: string): void; clear(): void } {
  const { stderr } = process;
  if (!stderr.isTTY) return { draw: () => {}, clear: () => {} };
  return {
    draw: (done, next) => void stderr.write(`\r\x1b[2K${`${done} of ${total}  ${next}`.slice(0, (stderr.columns ?? 80) - 1)}`),
    clear: () => void stderr.write('\r\x1b[2K'),
  };
}
