import { defineConfig, type ViteUserConfig } from 'vitest/config';

const g = globalThis as { Deno?: unknown; Bun?: unknown };
const rt: string = g.Deno ? 'deno' : g.Bun ? 'bun' : 'node';
const config: ViteUserConfig = defineConfig({
  ssr: { resolve: { conditions: ['@ehlo/source', 'node', 'import', 'module', 'default'] } },
  test: { include: ['test/**/*.test.ts'], pool: 'forks', reporters: ['default', ['json', { outputFile: `.results/${rt}.json` }]] },
});
export default config;
