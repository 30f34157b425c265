// The page: two texts, a small form, and what the policy says to them.

import examples from './examples.json';
import schema from './settings.schema.json';
import { completionsFrom } from './completion.js';
import { Editor } from './editor.js';
import { Engine, Late, PATIENCE } from './engine.js';
import { RULES, place } from './rules.js';
import { EMPTY, fromFragment, toFragment } from './state.js';
import { draw, isError, summary } from './verdict.js';

// An API server takes 3 MiB; what is longer is a mistake.
const LARGEST = 8 << 20;

// So long nothing is typed before the policy is asked.
const PAUSE = 120;

const FIELDS = ['operation', 'namespace', 'user', 'fieldManager'];

const by = (id) => document.getElementById(id);

const editors = {
  settings: new Editor(by('settings-editor'), {
    label: 'Settings, YAML',
    hint: 'registries:\n  allow: [ghcr.io/my-organisation]',
    completions: completionsFrom(schema),
    onChange: changed,
  }),
  manifest: new Editor(by('manifest-editor'), { label: 'Manifest, YAML or JSON', hint: 'Paste what you kubectl apply.', onChange: changed }),
  old: new Editor(by('old-editor'), { label: 'The object as it was, YAML or JSON', hint: 'Paste what kubectl get -o yaml shows.', onChange: changed }),
};

// On its way while the page is drawn.
const loading = typeof WebAssembly === 'object' ? Engine.load(new URL('engine.wasm', document.baseURI)) : undefined;
// Who waits for it hears what went wrong.
loading?.catch(() => {});

let engine;
let timer;
// Counts what was written, so that no answer is shown for what is no longer there.
let version = 0;
let announced;

function state() {
  const found = {};
  for (const name of Object.keys(editors)) found[name] = editors[name].text;
  for (const name of FIELDS) found[name] = by(name).value.trim();
  found.groups = by('groups').value.split(',').map((group) => group.trim()).filter(Boolean);
  return found;
}

function write(next) {
  for (const name of Object.keys(editors)) editors[name].text = next[name];
  for (const name of FIELDS) by(name).value = next[name];
  by('groups').value = next.groups.join(', ');
  changed();
}

function changed() {
  version++;
  by('details').ariaBusy = 'true';
  by('old').hidden = by('operation').value !== 'UPDATE';
  editors.old.measure();
  clearTimeout(timer);
  timer = setTimeout(judge, PAUSE);
}

async function judge() {
  if (!engine) return;
  const trial = { ...state(), now: Math.floor(Date.now() / 1000) };
  const asked = version;
  const length = trial.settings.length + trial.manifest.length + trial.old.length;
  if (length > LARGEST) {
    fail(`These texts are longer than ${LARGEST >> 20} MiB together, which no API server takes: nothing is judged.`);
    return;
  }
  try {
    const answer = await engine.answer(trial);
    if (answer === null || asked !== version) return;
    tell(trial, answer);
  } catch (error) {
    if (asked !== version) return;
    fail(
      error instanceof Late
        ? `This took longer than ${PATIENCE / 1000} seconds and was ended: shorten the manifest.`
        : `The policy failed in this browser: ${error.message}`,
    );
  }
}

function tell(trial, answer) {
  const findings = answer.verdicts.flatMap((verdict) => verdict.findings);
  const marks = {
    settings: answer.settings.marks.map((mark) => ({ ...mark, text: mark.path ? `${mark.path}: ${mark.message}` : mark.message })),
    manifest: [...answer.manifest.map((mark) => ({ ...mark, text: mark.message })), ...findings.map((finding) => ({ ...finding, text: `${finding.text} [${finding.code}]` }))],
    old: answer.old.map((mark) => ({ ...mark, text: mark.message })),
  };
  for (const [name, editor] of Object.entries(editors)) editor.mark(marks[name]);
  by('review-note').hidden = !answer.isReview;
  const isEmpty = !answer.settings.isValid && !answer.settings.marks.some(isError);
  const { state: colour, text } = summary(answer, isEmpty);
  draw(by('details'), answer, (name, mark) => editors[name].show(mark));
  for (const id of ['copy-policy', 'copy-kwctl']) by(id).disabled = !answer.settings.isValid;
  say(colour, text);
}

function fail(text) {
  by('details').replaceChildren();
  say('bad', text);
  for (const editor of Object.values(editors)) editor.mark([]);
}

// The live region is written only when it says something else.
function say(colour, text) {
  by('summary').dataset.state = colour;
  if (text !== announced) by('summary').textContent = text;
  announced = text;
  by('details').ariaBusy = 'false';
}

function warn(text) {
  by('banner').textContent = text;
  by('banner').hidden = text === '';
}

function openExample(name) {
  const example = examples.find((one) => one.name === name) ?? examples[0];
  by('example').value = example.name;
  write({ ...EMPTY, ...example.state });
}

async function copy(title, text, then) {
  try {
    await navigator.clipboard.writeText(text);
    by('copied').textContent = then;
  } catch {
    by('copied').textContent = '';
    by('text-title').textContent = title;
    by('text').value = text;
    by('text-dialog').showModal();
    by('text').select();
  }
}

async function copyFiles(title, make, then) {
  try {
    const files = await engine.files(state());
    await copy(title, make(files), then);
  } catch (error) {
    by('copied').textContent = error.message || `It took longer than ${PATIENCE / 1000} seconds.`;
  }
}

function policyOf({ policy }) {
  if (!policy) throw new Error('The settings have more than one policy, copy the one that you mean.');
  return policy;
}

// A suite for `rollout-guard test`.
function suiteOf({ settings, requests, suite }) {
  if (!settings) throw new Error('The settings have more than one policy, keep the one that you mean.');
  if (requests.length === 0) throw new Error('There is no object to ask about.');
  return suite;
}

// A script for a shell, with the files that the command reads.
function kwctlOf({ settings, requests }) {
  if (!settings) throw new Error('The settings have more than one policy, keep the one that you mean.');
  if (requests.length === 0) throw new Error('There is no object to ask about.');
  const name = (index) => (requests.length === 1 ? 'request.json' : `request-${index + 1}.json`);
  const files = [['settings.yaml', settings], ...requests.map((request, index) => [name(index), request])];
  const written = files.map(([file, text]) => {
    const end = endOf(text);
    return `cat >${file} <<'${end}'\n${text.trimEnd()}\n${end}\n`;
  });
  const runs = requests.map((_, index) => `kwctl run --request-path ${name(index)} --settings-path settings.yaml ${MODULE}\n`);
  return [...written, ...runs].join('');
}

// A mark that the text does not hold as a line.
function endOf(text) {
  const lines = new Set(text.split('\n'));
  let end = 'EOF';
  while (lines.has(end)) end += '_';
  return end;
}

async function start() {
  for (const { name, title } of examples) by('example').append(new Option(title, name));
  RULES.forEach(({ title }, index) => by('rule').append(new Option(title, index)));
  by('theme').value = document.documentElement.dataset.theme ?? '';

  by('open').onclick = () => openExample(by('example').value);
  by('empty').onclick = () => {
    write(EMPTY);
    by('rule').focus();
  };
  by('add').onclick = () => {
    const rule = RULES[Number(by('rule').value)];
    const found = place(rule, editors.settings.text);
    if (found) {
      warn('');
      editors.settings.insert(found.at, found.text);
    } else {
      warn(`The settings have a section \`${rule.section}\` already: write there.`);
      const line = editors.settings.text.split('\n').findIndex((text) => text.startsWith(`${rule.section}:`)) + 1;
      editors.settings.show({ line, column: 1 });
    }
  };
  by('theme').onchange = ({ target }) => {
    if (target.value) document.documentElement.dataset.theme = target.value;
    else delete document.documentElement.dataset.theme;
    try {
      if (target.value) localStorage.setItem('theme', target.value);
      else localStorage.removeItem('theme');
    } catch {
      // Then it lasts as long as the page.
    }
  };
  for (const name of [...FIELDS, 'groups']) by(name).oninput = changed;
  by('copy-policy').onclick = () => copyFiles('A ClusterAdmissionPolicy', policyOf, 'Copied. Write it to policy.yaml, then: kubectl apply -f policy.yaml');
  by('copy-kwctl').onclick = () => copyFiles('A kwctl command with its files', kwctlOf, 'Copied. Paste it into a shell in an empty folder.');
  by('copy-suite').onclick = () => copyFiles('A suite for rollout-guard test', suiteOf, 'Copied. Write it to suite.yaml, then: rollout-guard test suite.yaml');
  by('copy-link').onclick = async () => {
    const fragment = await toFragment(state());
    history.replaceState(null, '', `#${fragment}`);
    await copy('A link', location.href, 'Copied. The link holds all of it; no server sees what is behind the #.');
  };
  addEventListener('hashchange', restore);

  await restore();
  if (!loading) {
    say('bad', 'This browser has no WebAssembly, which runs the policy. Take a newer browser, or the command: rollout-guard check.');
    return;
  }
  try {
    engine = await loading;
  } catch (error) {
    say('bad', `The policy could not be loaded: ${error.message}`);
    return;
  }
  clearTimeout(timer);
  await judge();
  performance.mark('verdict');
  // From now on the page needs no network; where it may not be kept, it does not start without.
  navigator.serviceWorker?.register(new URL('sw.js', document.baseURI)).catch(() => {});
}

// What the link of the page holds, or the first example.
async function restore() {
  const fragment = location.hash.slice(1);
  if (fragment === '' || by(fragment)) {
    if (version === 0) openExample();
    return;
  }
  try {
    write(await fromFragment(fragment));
    warn('');
  } catch {
    warn('This link cannot be read: it may have been cut. Here is the first example instead.');
    openExample();
  }
}

start();
