import { mergeConfig, type ViteUserConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

// The tests of @ehlo/node and of the test server, in this runtime and with its adapter.
const config: ViteUserConfig = mergeConfig(shared, {
  test: { dir: '..', include: ['node/test/**/*.test.ts', 'ehlo/test/testing/*.test.ts'] },
});
export default config;
