import type { ViteUserConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

// `import` among them would be Node's for `require`, too, and pg, which is CommonJS, would be given ES modules.
const config: ViteUserConfig = { ...shared, ssr: { resolve: { conditions: ['@ehlo/source', 'node', 'default'] } } };
export default config;
