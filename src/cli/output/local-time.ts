/** `2026-11-28T09:07:05+0000` in the time zone of this machine; seconds since 1970. */
export function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  // West of Greenwich is positive there.
  const offset = -date.getTimezoneOffset();
  const sign = offset < 0 ? '-' : '+';
  const zone = two(Math.trunc(Math.abs(offset) / 60)) + two(Math.abs(offset) % 60);
  const shifted = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  return `${shifted}${sign}${zone}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
