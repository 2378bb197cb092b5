/** RFC 5802 5.1: a comma and an equals sign in a name are written as "=2C" and "=3D". */
export function saslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** The name that was written so; null if there is an equals sign with anything else behind it. */
export function readSaslName(text: string): string | null {
  if (/=(?!2C|3D)|,/.test(text)) return null;
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}
