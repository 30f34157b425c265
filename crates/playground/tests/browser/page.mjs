// A browser, and the built site served on loopback under a path that nobody expects.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

const SITE = join(ROOT, 'dist/site');
const PREFIX = '/docs/of/rollout-guard/';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

// As any static host: files, and `index.html` for a folder.
export async function serve() {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://loopback');
    try {
      if (!pathname.startsWith(PREFIX)) throw new Error('elsewhere');
      const name = normalize(decodeURIComponent(pathname.slice(PREFIX.length)));
      const file = join(SITE, name.endsWith('/') || name === '.' ? join(name, 'index.html') : name);
      const body = await readFile(file);
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const site = `http://127.0.0.1:${port}${PREFIX}`;
  return { site, url: `${site}playground/`, close: () => server.close() };
}

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

// The page, with what it asked of the network and what went wrong in it.
export class Page {
  requests = [];
  problems = [];

  static async open(browser, url, { context: options = {}, before } = {}) {
    const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'], ...options });
    const opened = new Page();
    opened.context = context;
    opened.page = await context.newPage();
    context.on('request', (request) => opened.requests.push(request.url()));
    opened.page.on('pageerror', (error) => opened.problems.push(String(error)));
    opened.page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') opened.problems.push(message.text());
    });
    await before?.(opened);
    await opened.page.goto(url);
    return opened;
  }

  // The summary, when the policy has answered what is written now.
  async verdict() {
    await this.page.waitForFunction(() => document.querySelector('#details').ariaBusy === 'false');
    return this.page.locator('#summary').textContent();
  }

  editor(name) {
    return this.page.locator(`#${name}-editor .cm-content`);
  }

  // The whole text of an editor, of which the page holds only the lines in sight.
  async text(name) {
    await this.editor(name).focus();
    await this.page.keyboard.press('Control+a');
    await this.page.keyboard.press('Control+c');
    return this.clipboard();
  }

  // Types over everything that is in an editor.
  async write(name, text) {
    await this.editor(name).focus();
    await this.page.keyboard.press('Control+a');
    await this.page.keyboard.press('Delete');
    await this.page.keyboard.insertText(text);
  }

  // The same from the clipboard, for long texts.
  async paste(name, text) {
    await this.page.evaluate((text) => navigator.clipboard.writeText(text), text);
    await this.editor(name).focus();
    await this.page.keyboard.press('Control+a');
    await this.page.keyboard.press('Control+v');
  }

  async example(name) {
    await this.page.locator('#example').selectOption(name);
    await this.page.locator('#open').click();
    return this.verdict();
  }

  clipboard() {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  async close() {
    await this.context.close();
  }
}
