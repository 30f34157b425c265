// What a person wrote, and a link that carries all of it.

export const EMPTY = {
  settings: '',
  manifest: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels: { app: web }
  template:
    metadata:
      labels: { app: web }
    spec:
      containers:
        - name: web
          image: nginx:1.27
        - name: cache
          image: redis:7.2-alpine
`,
  old: '',
  operation: 'CREATE',
  namespace: '',
  user: 'jane@example.com',
  groups: ['developers', 'system:authenticated'],
  fieldManager: '',
};

// The first character says how the rest is written.
const VERSION = '1';

// A text longer than this is no settings and no manifest: an API server takes 3 MiB.
const LARGEST = 16 << 20;

export async function toFragment(state) {
  const changed = Object.entries(state).filter(([key, value]) => String(value) !== String(EMPTY[key]));
  const bytes = new TextEncoder().encode(JSON.stringify(Object.fromEntries(changed)));
  const packed = await through(bytes, new CompressionStream('deflate-raw'), Infinity);
  let text = '';
  for (const byte of packed) text += String.fromCharCode(byte);
  return VERSION + btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

// Throws where the fragment is none of ours.
export async function fromFragment(fragment) {
  if (fragment[0] !== VERSION) throw new Error('unknown version');
  const text = atob(fragment.slice(1).replaceAll('-', '+').replaceAll('_', '/'));
  const packed = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const bytes = await through(packed, new DecompressionStream('deflate-raw'), LARGEST);
  const found = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  const state = { ...EMPTY };
  for (const [key, value] of Object.entries(found)) {
    const isText = typeof value === 'string' && typeof EMPTY[key] === 'string';
    const isList = key === 'groups' && Array.isArray(value) && value.every((group) => typeof group === 'string');
    if (!isText && !isList) throw new Error(`unknown member ${key}`);
    state[key] = value;
  }
  return state;
}

async function through(bytes, stream, most) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > most) throw new Error('too large');
    parts.push(value);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
