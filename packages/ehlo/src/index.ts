// The adapter of the runtime: the conditions in package.json choose it.
export * from '#adapter';
