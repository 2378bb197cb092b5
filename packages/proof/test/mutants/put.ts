// A change in place, and its way back.

/** Puts other values in the place of some of an object's; null: the name is gone. What is given back undoes it. */
export function put<T extends object>(target: T, values: { readonly [name in keyof T]?: T[name] | null }): () => void {
  const before = { ...target };
  for (const [name, value] of Object.entries(values)) {
    if (value === null) delete target[name as keyof T];
    else Object.assign(target, { [name]: value });
  }
  return () => {
    for (const name of Object.keys(values)) delete target[name as keyof T];
    Object.assign(target, before);
  };
}
