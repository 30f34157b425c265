// A preprocessor of mdBook: links out of the book lead into the repository, links to the published
// site stay on whatever site this is.

import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const SITE = 'https://rollout-guard.github.io/rollout-guard/';

if (process.argv[2] !== 'supports') {
  let input = '';
  for await (const part of process.stdin) input += part;
  const [context, book] = JSON.parse(input);
  const repository = context.config.output.html['git-repository-url'];
  for (const item of book.items ?? book.sections) rewrite(item, context, repository);
  process.stdout.write(JSON.stringify(book));
}

function rewrite(item, context, repository) {
  const chapter = item.Chapter;
  if (!chapter) return;
  chapter.content = chapter.content.replace(/\]\(([^)\s]+)\)/g, (link, target) => {
    if (target.startsWith(SITE)) return `](${target.slice(SITE.length) || 'index.html'})`;
    if (!target.startsWith('../')) return link;
    const [path, anchor] = target.split('#');
    const inside = normalize(join(context.config.book.src ?? 'src', dirname(chapter.path), path));
    if (!existsSync(join(context.root, inside))) throw new Error(`${chapter.path}: no such file: ${target}`);
    return `](${repository}/blob/main/${inside}${anchor ? `#${anchor}` : ''})`;
  });
  for (const below of chapter.sub_items) rewrite(below, context, repository);
}
