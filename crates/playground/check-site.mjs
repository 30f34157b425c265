// Checks the built site: node check-site.mjs SITE DOCS
//
// Every link of a page leads to a file and an anchor that are there, every page of the documentation
// is in the summary, and nothing is loaded from another host.

import { existsSync, statSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';

const [site, docs] = process.argv.slice(2);
const problems = [];
const pages = (await readdir(site, { recursive: true })).filter((name) => name.endsWith('.html'));
const texts = new Map(await Promise.all(pages.map(async (name) => [resolve(site, name), await readFile(join(site, name), 'utf8')])));
const anchors = new Map([...texts].map(([file, text]) => [file, new Set([...text.matchAll(/\s(?:id|name)="([^"]*)"/g)].map(([, id]) => id))]));
let count = 0;

for (const [file, text] of texts) {
  const name = relative(site, file);
  // The page for what is not found is shown under any path, so its links begin at the top.
  if (name === '404.html') continue;
  for (const [, attribute, written] of text.matchAll(/\s(href|src)="([^"]*)"/g)) {
    const link = decodeURI(written.replaceAll('&amp;', '&'));
    count++;
    if (/^(https?:|mailto:)/.test(link)) {
      if (attribute === 'src') problems.push(`${name}: loads ${link}`);
      continue;
    }
    const [path, anchor] = link.split('#');
    let target = path === '' ? file : resolve(dirname(file), path.split('?')[0]);
    if (existsSync(target) && statSync(target).isDirectory()) target = join(target, 'index.html');
    if (!existsSync(target)) problems.push(`${name}: ${link} leads nowhere`);
    else if (anchor && target.endsWith('.html') && !anchors.get(target)?.has(anchor)) problems.push(`${name}: ${link} has no such heading`);
  }
}

const summary = await readFile(join(docs, 'SUMMARY.md'), 'utf8');
for (const page of (await readdir(docs)).filter((name) => name.endsWith('.md') && name !== 'SUMMARY.md')) {
  if (!summary.includes(`(${page})`)) problems.push(`${page}: not in SUMMARY.md`);
}

for (const problem of problems) console.error(problem);
console.log(`${pages.length} pages, ${count} links, ${problems.length} problems`);
process.exitCode = problems.length === 0 && count > 0 ? 0 : 1;
