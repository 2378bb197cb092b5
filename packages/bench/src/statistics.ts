/** The middle one, or the mean of the two in the middle. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.floor(half)]! + sorted[Math.ceil(half) - 1]!) / 2;
}

/** The median of the ratios of each round: what disturbs a round disturbs both. */
export function ratio(over: readonly number[], under: readonly number[]): number {
  return median(over.map((figure, round) => figure / under[round]!));
}

/** How far half of the figures lie apart, those in the middle, as a part of the median. */
export function spread(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const quarter = Math.floor(sorted.length / 4);
  return (sorted[sorted.length - 1 - quarter]! - sorted[quarter]!) / median(figures);
}

/** Three digits that count, thousands parted. */
export function shown(figure: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(figure) || 1)));
  const rounded = digits > 0 ? figure.toFixed(Math.min(digits, 3)) : Number(figure.toPrecision(3)).toFixed(0);
  return rounded.replace(/\B(?=(\d{3})+$)/g, ',');
}
