// A text to write in: YAML, with marks at the lines that something is wrong in.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { HighlightStyle, bracketMatching, foldGutter, foldKeymap, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState } from '@codemirror/state';
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';

// More marks than these make no text clearer, and take long to draw.
const MOST_MARKS = 500;

// The colours are the page's.
const theme = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--field)', fontSize: '13.5px', height: '100%' },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-1px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--field)', color: 'var(--dim)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--line)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--selection)' },
  '.cm-placeholder': { color: 'var(--dim)' },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--line)', color: 'var(--text)', border: 'none' },
  '.cm-tooltip': { backgroundColor: 'var(--panel)', color: 'var(--text)', border: '1px solid var(--border)', maxWidth: 'min(36rem, 90vw)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)' },
  '.cm-completionDetail': { color: 'inherit', fontStyle: 'normal' },
  '.cm-panels': { backgroundColor: 'var(--panel)', color: 'var(--text)' },
  '.cm-diagnostic': { whiteSpace: 'pre-wrap' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--warn)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad)', textDecorationSkipInk: 'none' },
  '.cm-lintRange-warning': { backgroundImage: 'none', textDecoration: 'underline wavy var(--warn)', textDecorationSkipInk: 'none' },
  // Drawn without the pictures that come with them, which the security policy of the page keeps out.
  '.cm-lint-marker': { width: '0.7em', height: '0.7em', margin: '0.35em 0.1em', borderRadius: '50%' },
  '.cm-lint-marker-error': { content: 'normal', backgroundColor: 'var(--bad)' },
  '.cm-lint-marker-warning': { content: 'normal', backgroundColor: 'var(--warn)' },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--key)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--string)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--dim)' },
  { tag: [tags.keyword, tags.meta, tags.labelName, tags.typeName], color: 'var(--meta)' },
]);

export class Editor {
  #view;
  #onChange;

  constructor(host, { label, hint, completions, onChange }) {
    // In a root of its own its style sheets need no exception from the security policy of the page.
    const root = host.attachShadow({ mode: 'open' });
    this.#onChange = onChange;
    this.#view = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        extensions: [
          lineNumbers(),
          foldGutter(),
          lintGutter(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          yaml(),
          syntaxHighlighting(colours),
          theme,
          EditorState.tabSize.of(2),
          autocompletion({ override: completions ? [completions] : [], icons: false }),
          placeholder(hint ?? ''),
          EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', tabindex: '0' }),
          EditorView.updateListener.of((update) => update.docChanged && this.#onChange()),
          // Tab leaves the editor: whoever has no mouse must get out again.
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap]),
        ],
      }),
    });
  }

  get text() {
    return this.#view.state.doc.toString();
  }

  // One step to undo.
  set text(text) {
    if (text === this.text) return;
    this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: text }, selection: { anchor: 0 } });
  }

  // Measures the lines again, which a hidden editor cannot.
  measure() {
    this.#view.requestMeasure();
  }

  // Puts a text at an offset, and the cursor behind it.
  insert(at, text) {
    this.#view.dispatch({ changes: { from: at, insert: text }, selection: { anchor: at + text.trimEnd().length }, scrollIntoView: true, userEvent: 'input' });
    this.#view.focus();
  }

  // Moves the cursor to what a mark is about.
  show(mark) {
    const { from, to } = this.#range(mark);
    this.#view.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
    this.#view.focus();
    this.#view.dom.getRootNode().host.scrollIntoView({ block: 'nearest' });
  }

  // Draws marks: `{severity, line, column, endLine, endColumn, text}`.
  mark(marks) {
    const diagnostics = marks.slice(0, MOST_MARKS).map((mark) => ({
      ...this.#range(mark),
      severity: mark.severity,
      message: mark.text,
    }));
    diagnostics.sort((one, other) => one.from - other.from);
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
  }

  #range({ line, column, endLine, endColumn }) {
    const from = this.#offset(line, column);
    const to = endLine ? this.#offset(endLine, endColumn) : from;
    const last = this.#view.state.doc.lineAt(from).to;
    // A mark needs something to stand under.
    return { from, to: Math.max(from, to > from ? to : Math.min(from + 1, last)) };
  }

  // Columns are counted in characters, offsets in UTF-16.
  #offset(line, column) {
    const { doc } = this.#view.state;
    const { from, text } = doc.line(Math.min(Math.max(line, 1), doc.lines));
    let offset = 0;
    for (let left = column - 1; left > 0 && offset < text.length; left--) {
      offset += text.codePointAt(offset) > 0xffff ? 2 : 1;
    }
    return from + offset;
  }
}
