import { defineConfig, type ViteUserConfig } from 'vitest/config';

const g = globalThis as { Deno?: unknown; Bun?: unknown };
const rt: string = g.Deno ? 'deno' : g.Bun ? 'bun' : 'node';
// Under several Nodes each has results of its own.
const results: string = process.env.EHLO_RESULTS ?? rt;
const config: ViteUserConfig = defineConfig({
  ssr: { resolve: { conditions: ['@ehlo/source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    reporters: ['default', ['json', { outputFile: `.results/${results}.json` }]],
    // No test is about how long it takes: this only ends what hangs, on a slow and busy machine too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
export default config;
