import { build } from 'esbuild';
import { gzipSync } from 'node:zlib';
import { writeFileSync } from 'node:fs';
const r = await build({ stdin:{contents:"export { ClientSession } from '@ehlo/engine';", loader:'js', resolveDir: process.cwd()+'/packages/driver'}, bundle:true, minify:true, write:false, format:'esm', platform:'browser', target:'es2022', conditions:['@ehlo/source'], metafile:true, alias:{'@ehlo/grammar':process.cwd()+'/packages/grammar/src/index.ts'}});
writeFileSync('/tmp/min.js', r.outputFiles[0].contents);
console.log(r.outputFiles[0].contents.length, gzipSync(r.outputFiles[0].contents,{level:9}).length);
