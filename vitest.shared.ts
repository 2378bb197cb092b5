import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const g = globalThis as { Deno?: unknown; Bun?: unknown };
const rt: string = g.Deno ? 'deno' : g.Bun ? 'bun' : 'node';
// Under several Nodes each has results of its own.
const results: string = process.env.EHLO_RESULTS ?? rt;
const config: ViteUserConfig = defineConfig({
  ssr: { resolve: { conditions: ['@ehlo/source', ...(rt === 'node' ? [] : [rt]), 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    reporters: ['default', ['json', { outputFile: `.results/${results}.json` }]],
    setupFiles: [fileURLToPath(new URL('./vitest.setup.ts', import.meta.url))],
    // Longer than anything is waited for (vitest.setup.ts): what hangs is told by its own words.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
export default config;
