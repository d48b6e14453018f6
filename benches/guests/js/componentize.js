// usage: node componentize.js SOURCE WIT_DIR OUT.wasm      (copied beside the folder node_modules that has componentize-js)
import { readFile, writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const [source, wit, out] = process.argv.slice(2);
const { component } = await componentize(await readFile(source, 'utf8'), {
  witPath: wit, worldName: 'cmd', disableFeatures: ['http', 'fetch-event'],
});
await writeFile(out, component);
