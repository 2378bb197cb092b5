import { mergeConfig, type ViteUserConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

// The tests of @ehlo/node, in this runtime and with its adapter.
const config: ViteUserConfig = mergeConfig(shared, { test: { dir: '../node/test', include: ['**/*.test.ts'] } });
export default config;
