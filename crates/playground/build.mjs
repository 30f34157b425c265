// Builds the page: node build.mjs BINDGEN OUT
//
// BINDGEN holds what wasm-bindgen wrote, OUT takes the page.

import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { parse, stringify } from 'yaml';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');
const [bindgen, out] = process.argv.slice(2);
if (!out) throw new Error('usage: node build.mjs BINDGEN OUT');

// Files that the page needs as they are.
const ASSETS = ['index.html', 'style.css', 'theme.js', 'icon.svg'];

const generated = {
  'examples.json': async () => JSON.stringify(await examples()),
  'settings.schema.json': () => readFile(join(root, 'settings.schema.json'), 'utf8'),
  'engine_bindgen.js': () => readFile(join(bindgen, 'engine.js'), 'utf8'),
};

// Hands the generated files to esbuild as if they lay in `www`.
const generator = {
  name: 'generated',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /.*/ }, ({ path }) => {
      const name = path.replace(/^\.\//, '');
      return name in generated ? { path: name, namespace: 'generated' } : undefined;
    });
    onLoad({ filter: /.*/, namespace: 'generated' }, async ({ path }) => ({
      contents: await generated[path](),
      loader: path.endsWith('.json') ? 'json' : 'js',
      resolveDir: here,
    }));
  },
};

async function examples() {
  const folder = join(root, 'examples');
  const names = (await readdir(folder)).sort();
  return Promise.all(
    names.map(async (name) => {
      const read = (file) => readFile(join(folder, name, file), 'utf8');
      const title = /^# (.*)$/m.exec(await read('README.md'))[1];
      const settings = await read('settings.yaml');
      const review = JSON.parse(await read('request.json'));
      return { name, title: `${name.slice(0, 2)} ${title}`, state: { settings, ...form(review) } };
    }),
  );
}

// A review as manifest and form, as somebody would write it; as it is where the form cannot say it.
function form(review) {
  const { request } = review;
  const isDelete = request.operation === 'DELETE';
  if (request.subResource) return { manifest: `${JSON.stringify(review, null, 2)}\n` };
  return {
    manifest: manifest(isDelete ? request.oldObject : request.object, request.operation === 'CREATE'),
    old: isDelete || !request.oldObject ? '' : manifest(request.oldObject),
    operation: request.operation,
    namespace: '',
    user: request.userInfo.username ?? '',
    groups: request.userInfo.groups ?? [],
    fieldManager: request.options?.fieldManager ?? '',
  };
}

// As kubectl shows an object, in the YAML that kubectl reads, without what only a server writes. Who
// applied what stays in only where it decides: drift is judged by it.
function manifest(object, isNew = false) {
  const { apiVersion, kind, metadata, ...rest } = object;
  const { managedFields, ...shown } = metadata;
  const isApplied = managedFields?.some(({ operation }) => operation === 'Apply');
  const kept = isApplied ? { ...shown, managedFields } : shown;
  if (isNew) for (const key of ['uid', 'generation', 'creationTimestamp', 'resourceVersion']) delete kept[key];
  return stringify({ apiVersion, kind, metadata: kept, ...rest }, { version: '1.1', lineWidth: 0 });
}

async function moduleAddress() {
  const metadata = parse(await readFile(join(root, 'metadata.yml'), 'utf8'));
  const cargo = await readFile(join(root, 'Cargo.toml'), 'utf8');
  const version = /^version = "(.*)"$/m.exec(cargo)[1];
  return `registry://${metadata.annotations['io.kubewarden.policy.ociUrl']}:v${version}`;
}

const options = {
  bundle: true,
  format: 'esm',
  minify: true,
  target: ['chrome103', 'firefox114', 'safari16.4'],
  legalComments: 'linked',
  outdir: out,
  logLevel: 'warning',
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  ...options,
  entryPoints: [join(here, 'www/main.js'), join(here, 'www/worker.js')],
  plugins: [generator],
  define: { MODULE: JSON.stringify(await moduleAddress()) },
});
for (const name of ASSETS) await cp(join(here, 'www', name), join(out, name));
await cp(join(bindgen, 'engine_bg.wasm'), join(out, 'engine.wasm'));

const kept = (await readdir(out)).filter((name) => !name.endsWith('.txt')).sort();
const hash = createHash('sha256');
for (const name of kept) hash.update(name).update(await readFile(join(out, name)));
const worker = await readFile(join(here, 'www/sw.js'), 'utf8');
await build({
  ...options,
  entryPoints: [join(here, 'www/sw.js')],
  define: { KEPT: JSON.stringify(['./', ...kept]), VERSION: JSON.stringify(hash.update(worker).digest('hex').slice(0, 16)) },
});
console.log(`${relative(root, out)}: ${kept.length + 1} files`);
