import { build } from 'esbuild';
import { gzipSync } from 'node:zlib';
for (const [names,from] of [['ClientSession','@ehlo/engine'],['ClientSession,AUTH','@ehlo/engine'],['ClientSession,AUTH,CHUNKING','@ehlo/engine'],['ClientSession,AUTH,CHUNKING,P','x'],['all','all']]) {
const c = from==='x' ? `export {ClientSession,AUTH,CHUNKING} from '@ehlo/engine'; export {PARAMETERS} from '@ehlo/grammar'` : from==='all'?`export {ClientSession,AUTH,CHUNKING,scanMessage,CLIENT_LIMITS} from '@ehlo/engine'; export {PARAMETERS} from '@ehlo/grammar'`:`export { ${names} } from '${from}';`;
const r = await build({ stdin:{contents:c, loader:'js', resolveDir: process.cwd()+'/packages/driver'}, bundle:true, minify:true, write:false, format:'esm', platform:'browser', target:'es2022', conditions:['@ehlo/source'], metafile:true, alias:{'@ehlo/grammar':process.cwd()+'/packages/grammar/src/index.ts'}});
console.log(names, r.outputFiles[0].contents.length, gzipSync(r.outputFiles[0].contents,{level:9}).length);
if (names==='ClientSession') console.log(Object.entries(Object.values(r.metafile.outputs)[0].inputs).map(([k,v])=>[k.replace('packages/',''),v.bytesInOutput]).filter(x=>x[1]).sort((a,b)=>b[1]-a[1]).map(x=>x.join(' ')).join('\n'));
}
