// What can be written at a place of the settings, as `settings.schema.json` says.

import { snippet } from '@codemirror/autocomplete';

// Where settings are in a policy of Kubewarden.
const IN_POLICY = ['spec', 'settings'];

// A source of completions for CodeMirror.
export function completionsFrom(schema) {
  return (context) => {
    const line = context.state.doc.lineAt(context.pos);
    const place = placeOf(context.state.doc, line, line.text.slice(0, context.pos - line.from));
    if (!place || (!context.explicit && place.typed === '')) return null;
    const path = withoutPolicy(place.path, context.state.doc);
    const here = path && path.reduce((at, step) => below(schema, at, step), schema);
    if (!here) return null;
    const options = place.isValue ? values(schema, here) : [...keys(schema, here, place), ...(place.inList ? values(schema, here) : [])];
    return options.length === 0 ? null : { from: context.pos - place.typed.length, options, validFor: /^[\w-]*$/ };
  };
}

// Where in the tree of the text the cursor is: the keys on the way, `[]` for an element of a list.
function placeOf(doc, line, before) {
  const inline = inFlow(before);
  const match = /^(\s*)((?:- +)*)(?:([\w.-]+):\s+)?([\w-]*)$/.exec(inline ? inline.outside : before);
  if (!match) return null;
  const [, indent, dashes, key, typed] = match;
  const around = parents(doc, line.number, indent.length, dashes.length);
  const path = key === undefined ? around.path : [...around.path, key];
  if (inline) {
    return { ...inline, path: [...path, ...inline.path], siblings: inline.siblings, indent: null };
  }
  return {
    path,
    typed,
    isValue: key !== undefined,
    inList: dashes !== '',
    siblings: around.siblings,
    indent: indent.length + dashes.length,
  };
}

// The way to the map that a line of a block belongs to, and the keys that this map has already.
function parents(doc, number, indent, dashes) {
  const path = [];
  const siblings = new Set();
  let level = indent + dashes;
  let isItem = false;
  const enterItem = (column) => {
    path.unshift('[]');
    level = column;
    isItem = true;
  };
  if (dashes) enterItem(indent);
  const isOwn = () => path.length === 0;
  for (let at = number - 1; at > 0 && (level > 0 || isItem || isOwn()); at--) {
    const match = /^(\s*)((?:- +)*)([^\s#'"{[:][^:]*|"[^"]*"):(?:\s|$)/.exec(doc.line(at).text);
    if (!match) continue;
    const column = match[1].length;
    const content = column + match[2].length;
    if (isItem ? content <= level && !match[2] : content < level) {
      path.unshift(match[3]);
      level = content;
      isItem = false;
      if (match[2]) enterItem(column);
    } else if (!isItem && content === level) {
      if (isOwn()) siblings.add(match[3]);
      if (match[2]) enterItem(column);
    }
  }
  for (let at = number + 1; dashes === 0 && at <= doc.lines; at++) {
    const match = /^(\s*)([^\s#'"{[:-][^:]*):(?:\s|$)/.exec(doc.line(at).text);
    if (match && match[1].length === indent) siblings.add(match[2]);
    else if (/^\s*\S/.test(doc.line(at).text) && doc.line(at).text.search(/\S/) < indent) break;
  }
  return { path, siblings };
}

// The same inside the brackets of one line: `match: { kinds: [`.
function inFlow(before) {
  const open = [];
  let key = '';
  let word = '';
  let outside = null;
  for (let at = 0; at < before.length; at++) {
    const character = before[at];
    if (character === '"' || character === "'") {
      const end = before.indexOf(character, at + 1);
      if (end < 0) return null;
      at = end;
      word = '';
    } else if (character === '{' || character === '[') {
      if (open.length === 0) outside = before.slice(0, at);
      open.push({ isMap: character === '{', key, siblings: new Set() });
      key = '';
      word = '';
    } else if (character === '}' || character === ']') {
      open.pop();
      word = '';
    } else if (character === ':') {
      key = word;
      open.at(-1)?.siblings.add(key);
      word = '';
    } else if (character === ',') {
      key = '';
      word = '';
    } else if (/[\w.-]/.test(character)) {
      word += character;
    } else if (character === '#' && open.length === 0) {
      return null;
    } else {
      word = '';
    }
  }
  const last = open.at(-1);
  if (!last) return null;
  const path = open.flatMap((bracket, depth) => [
    ...(depth > 0 && bracket.key ? [bracket.key] : []),
    ...(bracket.isMap ? [] : ['[]']),
  ]);
  if (last.isMap && key) path.push(key);
  // The key before the first bracket belongs to the line.
  return { path, typed: word, isValue: last.isMap && key !== '', inList: !last.isMap, siblings: last.siblings, outside };
}

function withoutPolicy(path, doc) {
  if (!/^apiVersion: *["']?policies\.kubewarden\.io\//m.test(doc.sliceString(0, 2000))) return path;
  return IN_POLICY.every((key, at) => path[at] === key) ? path.slice(IN_POLICY.length) : null;
}

// A schema and what it may be instead.
function alternatives(schema, at) {
  if (!at || at === true) return [];
  if (at.$ref) return alternatives(schema, at.$ref.slice(2).split('/').reduce((found, step) => found?.[step], schema));
  return [at, ...[...(at.anyOf ?? []), ...(at.oneOf ?? []), ...(at.allOf ?? [])].flatMap((one) => alternatives(schema, one))];
}

function below(schema, at, step) {
  for (const one of alternatives(schema, at)) {
    const found = step === '[]' ? one.items : (one.properties?.[step] ?? (typeof one.additionalProperties === 'object' ? one.additionalProperties : undefined));
    if (found) return found;
  }
  return null;
}

function keys(schema, at, { siblings, indent }) {
  const found = new Map();
  for (const one of alternatives(schema, at)) {
    for (const [key, value] of Object.entries(one.properties ?? {})) {
      if (!siblings.has(key) && !found.has(key)) found.set(key, value);
    }
  }
  return [...found].map(([key, value]) => {
    const all = alternatives(schema, value);
    const info = all.map((one) => one.description).find(Boolean);
    return { label: key, type: 'property', detail: kindOf(all), info, apply: snippet(template(schema, key, all, indent)) };
  });
}

function typesOf(all) {
  return all.flatMap((one) => one.type ?? []);
}

function kindOf(all) {
  const types = typesOf(all);
  return ['array', 'object', 'boolean', 'string'].find((type) => types.includes(type))?.replace('array', 'list').replace('object', 'map') ?? '';
}

// The key, and the beginning of its value.
function template(schema, key, all, indent) {
  const types = typesOf(all);
  const isBlock = indent !== null;
  if (types.includes('array')) {
    const items = all.flatMap((one) => alternatives(schema, one.items));
    return isBlock && typesOf(items).includes('object') ? `${key}:\n  - \${}` : `${key}: [\${}]`;
  }
  if (types.includes('object')) return isBlock ? `${key}:\n  \${}` : `${key}: { \${} }`;
  return `${key}: \${}`;
}

function values(schema, at) {
  const found = new Map();
  for (const one of alternatives(schema, at)) {
    const known = one.enum ?? (one.const === undefined ? [] : [one.const]);
    for (const value of known) if (value !== null) found.set(String(value), one);
    if ([one.type].flat().includes('boolean')) for (const value of ['true', 'false']) found.set(value, one);
  }
  return [...found].map(([value, one]) => ({ label: value, type: 'enum', detail: String(one.default) === value ? 'default' : '', info: one.description }));
}
