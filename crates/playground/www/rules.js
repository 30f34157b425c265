// Rules to begin with, each a section of settings or an item of one.

export const RULES = [
  {
    title: 'Allow only some registries',
    section: 'registries',
    body: '  # A host, or a path on one. `*.example.com` is every host below it.\n  allow:\n    - registry.example.com\n    - ghcr.io/my-organisation\n',
  },
  {
    title: 'Pull images from a mirror',
    section: 'mirrors',
    item: '  # Official images of Docker Hub; what comes behind `library` is kept.\n  - source: docker.io/library\n    mirror: registry.example.com/library\n',
  },
  { title: 'Forbid tags that move', section: 'tags', body: '  reject: [latest, "*-rc*"]\n' },
  { title: 'Require digests', section: 'digests', body: '  require: ["ghcr.io/*"]\n' },
  { title: 'Refuse single images', section: 'images', body: '  reject: ["docker.io/library/redis:6*"]\n' },
  {
    title: 'Require an annotation',
    section: 'annotations',
    item: '  - name: ownership\n    match: { kinds: [Deployment] }\n    required: [team]\n',
  },
  {
    title: 'Keep people from changing what Git owns',
    section: 'changes',
    item: '  - name: images-come-from-git\n    match: { kinds: [Deployment], namespaces: ["prod-*"] }\n    guard: [images]\n    allowUsers: ["system:serviceaccount:argocd:argocd-application-controller"]\n',
  },
  { title: 'Warn of what drifted', section: 'drift', body: '  lastApplied: warn\n' },
  {
    title: 'Exempt a namespace',
    section: 'exemptions',
    item: '  - name: system\n    match: { namespaces: [kube-system] }\n    reason: bootstrap\n',
  },
];

// Where a rule goes in a text of settings, and what is written there; `null` if its section is there
// already and takes no second one.
export function place(rule, settings) {
  const lines = settings.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`${rule.section}:`));
  const text = `${rule.section}:\n${rule.item ?? rule.body}`;
  if (start < 0) {
    const end = settings.trimEnd().length;
    const before = end === 0 ? '' : '\n';
    return { at: settings.slice(end).startsWith('\n') ? end + 1 : end, text: settings.slice(end).startsWith('\n') ? text : before + text };
  }
  const isBlock = /^\w+:\s*(#.*)?$/.test(lines[start]);
  if (!rule.item || !isBlock) return null;
  let last = start;
  let indent;
  for (let at = start + 1; at < lines.length && !/^[^\s#-]/.test(lines[at]); at++) {
    if (lines[at].trim() === '') continue;
    last = at;
    indent ??= /^( *)- /.exec(lines[at])?.[1];
  }
  const item = rule.item.replace(/^ {2}/gm, indent ?? '  ');
  const at = lines.slice(0, last + 1).join('\n').length;
  return { at, text: `\n${item.trimEnd()}` };
}
