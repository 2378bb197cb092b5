import pc from 'picocolors';

/** The library takes any CI for a terminal; a pipe or a file there gets no colours either. */
const COLOURS: boolean = pc.isColorSupported && (process.stdout.isTTY || process.env.FORCE_COLOR !== undefined);

/** How words are painted on standard output: not at all, where that is no terminal. */
export const colours: ReturnType<typeof pc.createColors> = pc.createColors(COLOURS);
