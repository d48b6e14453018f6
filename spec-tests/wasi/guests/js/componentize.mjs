// usage: node componentize.mjs SOURCE WIT_DIR OUT.wasm      (copied beside the folder node_modules that has componentize-js)
import { writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const [sourcePath, witPath, out] = process.argv.slice(2);
const { component } = await componentize({ sourcePath, witPath, worldName: 'cases' });
await writeFile(out, component);
