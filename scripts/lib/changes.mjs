/** What is changed each time, and what only sometimes: behind the name of that stands a question mark. */
export function always(changes) {
  const isSure = (name) => !name.endsWith('?');
  return { changes: changes.filter(isSure), sometimes: changes.filter((name) => !isSure(name)).map((name) => name.slice(0, -1)) };
}
