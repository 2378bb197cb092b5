// What grows, and how fast.

/** The slope of the straight line that fits best: octets for each message. */
export function slopeOf(looks) {
  const mean = (of) => looks.reduce((sum, look) => sum + look[of], 0) / looks.length;
  const [at, octets] = [mean('at'), mean('octets')];
  const over = looks.reduce((sum, look) => sum + (look.at - at) * (look.octets - octets), 0);
  return over / looks.reduce((sum, look) => sum + (look.at - at) ** 2, 0);
}
