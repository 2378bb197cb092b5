// The slow proofs: `npm run proofs`. The same as the tests, but for the names of their files.
import { availableParallelism } from 'node:os';
import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import shared from './vitest.shared.ts';

const config: ViteUserConfig = mergeConfig(
  { ...shared, test: { ...shared.test, include: [], reporters: [] } },
  defineConfig({
    test: {
      include: ['test/**/*.proof.ts'],
      reporters: ['default', ['json', { outputFile: '.results/proofs.json' }]],
      testTimeout: 1_200_000,
      // Left to itself vitest spares a core for its own work, of which there is little: on two cores every file would wait for the one before.
      maxWorkers: availableParallelism(),
    },
  }),
);
export default config;
