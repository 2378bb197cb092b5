/** A date and time of RFC 3339 as milliseconds. 5.6: a second may be the 60th, a leap second, which is as good as the next one. */
export function instantOf(dateTime: string): number {
  const [minute, second] = [dateTime.slice(0, 17), dateTime.slice(17, 19)];
  return second === '60' ? Date.parse(`${minute}59${dateTime.slice(19)}`) + 1000 : Date.parse(dateTime);
}
