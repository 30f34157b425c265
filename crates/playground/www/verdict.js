// Shows what the policy says.

// More than these nobody reads, and they take long to draw.
const MOST_OBJECTS = 50;
const MOST_FINDINGS = 100;

const MESSAGES = '../messages.html';

// Draws the answer; `show(editor, mark)` is called when somebody wants to see a place.
export function draw(host, answer, show) {
  const open = new Set([...host.querySelectorAll('details[open]')].map((details) => details.dataset.name));
  const focused = host.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  host.replaceChildren(
    ...mistakes(answer, show),
    ...answer.verdicts.slice(0, MOST_OBJECTS).map((verdict, index) => article(verdict, index, show)),
    ...(answer.verdicts.length > MOST_OBJECTS ? [element('p', {}, `and ${answer.verdicts.length - MOST_OBJECTS} more objects`)] : []),
    ...about(answer.settings),
  );
  for (const details of host.querySelectorAll('details')) {
    if (open.has(details.dataset.name)) details.open = true;
  }
  if (focused) host.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

// One sentence, and how it is coloured.
export function summary(answer, isEmpty) {
  const { settings, verdicts, manifest, old } = answer;
  const wrong = settings.marks.filter(isError).length;
  if (wrong > 0) {
    const settingsAre = count(wrong, 'mistake', 'mistakes');
    return { state: 'bad', text: `The settings have ${settingsAre}: a policy with them does not start.` };
  }
  if (isEmpty) return { state: 'none', text: 'No settings yet: add a rule, or open an example.' };
  const unread = [...manifest, ...old].filter(isError).length;
  if (unread > 0 && verdicts.length === 0) return { state: 'bad', text: `The manifest cannot be judged: ${count(unread, 'mistake', 'mistakes')}.` };
  if (verdicts.length === 0) return { state: 'none', text: 'No object yet: write or paste a manifest.' };
  const objects = new Set(verdicts.map(({ object }) => JSON.stringify(object))).size;
  const refused = verdicts.filter((verdict) => !verdict.accepted);
  const besides = unread > 0 ? ` ${count(unread, 'part', 'parts')} of the manifest cannot be read.` : '';
  const warnings = verdicts.flatMap((verdict) => verdict.findings.filter((finding) => !isError(finding))).length;
  if (refused.length > 0) {
    const violations = refused.flatMap((verdict) => verdict.findings.filter(isError)).length;
    const of = objects > 1 ? ` ${refused.length} of ${objects} objects,` : '';
    return { state: 'bad', text: `Refused:${of} ${count(violations, 'violation', 'violations')}.${besides}` };
  }
  if (verdicts.every((verdict) => !verdict.isAsked)) return { state: 'none', text: `Accepted: no rule of the policy is about it.${besides}` };
  const rewritten = verdicts.flatMap((verdict) => verdict.images.filter((image) => image.rewritten)).length;
  const also = [
    rewritten > 0 && count(rewritten, 'image is', 'images are') + ' rewritten',
    warnings > 0 && count(warnings, 'warning', 'warnings'),
  ].filter(Boolean);
  return { state: warnings > 0 ? 'warn' : 'good', text: `Accepted${also.length > 0 ? `: ${also.join(', ')}` : ''}.${besides}` };
}

export const isError = ({ severity }) => severity === 'error';

function mistakes(answer, show) {
  return [
    ['settings', 'In the settings', answer.settings.marks],
    ['manifest', 'In the manifest', answer.manifest],
    ['old', 'In the object as it was', answer.old],
  ]
    .filter(([, , marks]) => marks.length > 0)
    .map(([editor, title, marks]) => {
      const items = marks.slice(0, MOST_FINDINGS).map((mark, index) => {
        const jump = place(mark.path || `line ${mark.line}`, `${editor}-${index}`, mark, () => show(editor, mark));
        return item(mark.severity, [jump, element('p', {}, ...prose(mark.message))]);
      });
      return element('section', { class: 'card' }, element('h3', {}, title), list(items, marks.length));
    });
}

function article({ object, operation, policy, isAsked, accepted, message, warnings, auditAnnotations, findings, images, patch }, index, show) {
  const name = `${object.kind} ${[object.namespace, object.name].filter(Boolean).join('/')}`;
  const hasWarnings = findings.some((finding) => !isError(finding));
  const state = !accepted ? ['bad', 'Refused'] : !isAsked ? ['none', 'Not asked'] : hasWarnings ? ['warn', 'Accepted, with warnings'] : ['good', 'Accepted'];
  const parts = [
    element('h3', {}, name, ' ', element('span', { class: 'dim' }, operation)),
    element('p', {}, element('span', { class: `badge ${state[0]}` }, state[1]), policy ? ` by ${policy}` : ''),
  ];
  if (!isAsked) parts.push(element('p', {}, 'No rule of the policy names this kind and operation: Kubewarden does not ask it.'));
  const items = findings.slice(0, MOST_FINDINGS).map((finding, position) => {
    const jump = place(finding.place, `${index}-${position}`, finding, () => show('manifest', finding));
    const code = element('a', { href: `${MESSAGES}#${finding.code}`, target: '_blank', rel: 'noopener', class: 'code', title: 'What it means (new tab)' }, finding.code);
    return item(finding.severity, [jump, element('p', {}, ...prose(finding.text), ' ', code)]);
  });
  if (items.length > 0) parts.push(list(items, findings.length));
  if (images.length > 0) parts.push(imageTable(images, index, show));
  if (patch) parts.push(more(`patch-${index}`, `JSON patch (${count(patch.length, 'change', 'changes')})`, pre(patch.map((change) => JSON.stringify(change)).join('\n'))));
  const annotations = Object.entries(auditAnnotations);
  if (annotations.length > 0) {
    const terms = annotations.flatMap(([key, value]) => [element('dt', {}, key), ...value.split(',').map((part) => element('dd', {}, part))]);
    parts.push(more(`audit-${index}`, 'Audit annotations', element('dl', {}, ...terms)));
  }
  if (message || warnings.length > 0) {
    const told = [message && `Error from server: ${message}`, ...warnings.map((warning) => `Warning: ${warning}`)].filter(Boolean).join('\n');
    parts.push(more(`told-${index}`, 'What kubectl shows', pre(told)));
  }
  return element('article', { class: 'card' }, ...parts);
}

function imageTable(images, index, show) {
  const rows = images.slice(0, MOST_FINDINGS).map((image, position) =>
    element(
      'tr',
      {},
      element('td', {}, place(image.place, `image-${index}-${position}`, image, () => show('manifest', image))),
      element('td', {}, element('code', {}, image.image)),
      element('td', {}, image.rewritten ? element('code', { class: 'new' }, image.rewritten) : 'unchanged'),
    ),
  );
  const head = element('tr', {}, ...['Where', 'Image', 'After rewriting'].map((title) => element('th', { scope: 'col' }, title)));
  const table = element('table', {}, element('caption', {}, count(images.length, 'image', 'images')), element('thead', {}, head), element('tbody', {}, ...rows));
  const rest = images.length > MOST_FINDINGS ? [element('p', {}, `and ${images.length - MOST_FINDINGS} more images`)] : [];
  return element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Images' }, table, ...rest);
}

function about({ sentences, notes }) {
  if (sentences.length === 0) return [];
  const said = element('ul', {}, ...sentences.map((sentence) => element('li', {}, ...prose(sentence))));
  const noted = notes.map((note) => element('p', { class: 'hint' }, ...prose(note)));
  return [element('section', { class: 'card' }, element('h3', {}, 'What the settings do'), said, ...noted)];
}

function list(items, all) {
  const rest = all > items.length ? [element('li', {}, `and ${all - items.length} more`)] : [];
  return element('ul', { class: 'findings' }, ...items, ...rest);
}

function item(severity, parts) {
  const word = severity === 'error' ? 'refuses' : 'warns';
  return element('li', { class: severity }, element('span', { class: 'unseen' }, `${word}: `), ...parts);
}

// A button that leads to a place in a text.
function place(text, name, mark, onclick) {
  const button = element('button', { type: 'button', class: 'place', 'data-focus': name }, text, element('span', { class: 'line' }, ` line ${mark.line}`));
  button.onclick = onclick;
  return button;
}

function more(name, title, content) {
  return element('details', { 'data-name': name }, element('summary', {}, title), content);
}

function pre(text) {
  return element('pre', { tabindex: '0' }, text);
}

// `Code` in back-ticks.
function prose(text) {
  return text.split('`').map((part, index) => (index % 2 === 1 ? element('code', {}, part) : part));
}

function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
