// Asks the policy: one question at a time, the newest first, and none for too long.

// Longer than Kubewarden waits (2 s): a phone is slower than a cluster.
export const PATIENCE = 5000;

export class Engine {
  #module;
  #worker;
  #asked;
  #next;
  #count = 0;

  // Compiles the module once; a new worker starts with it at once.
  static async load(url) {
    const response = fetch(url);
    let module;
    try {
      module = await WebAssembly.compileStreaming(response);
    } catch {
      // A static host that does not know the type of the file.
      const again = await fetch(url);
      if (!again.ok) throw new Error(`engine.wasm: ${again.status}`);
      module = await WebAssembly.compile(await again.arrayBuffer());
    }
    return new Engine(module);
  }

  constructor(module) {
    this.#module = module;
    this.#start();
  }

  // Resolves to what the policy says; to `null` where a newer question takes its place.
  answer(trial) {
    return new Promise((resolve, reject) => {
      const question = { what: 'answer', trial, resolve, reject };
      if (this.#asked) {
        this.#next?.resolve(null);
        this.#next = question;
      } else {
        this.#ask(question);
      }
    });
  }

  // The files to take away. They are for what was asked last, so they wait for it.
  async files(trial) {
    const worker = this.#start(false);
    try {
      return await new Promise((resolve, reject) => {
        worker.timer = setTimeout(() => reject(new Late()), PATIENCE);
        worker.onmessage = ({ data }) => this.#settle(data, { resolve, reject });
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage({ id: 0, what: 'files', trial: JSON.stringify(trial) });
      });
    } finally {
      clearTimeout(worker.timer);
      worker.terminate();
    }
  }

  #start(isMain = true) {
    const worker = new Worker(new URL('worker.js', document.baseURI), { type: 'module' });
    worker.postMessage({ module: this.#module });
    if (isMain) {
      this.#worker = worker;
      worker.onmessage = ({ data }) => {
        if (data.id !== this.#asked?.id) return;
        // After a trap nothing in the module can be relied on.
        if (data.failure !== undefined) this.#restart();
        this.#end((question) => this.#settle(data, question));
      };
      worker.onerror = (event) => {
        this.#restart();
        this.#end((question) => question.reject(new Error(event.message || 'the policy does not start')));
      };
    }
    return worker;
  }

  #ask(question) {
    question.id = ++this.#count;
    this.#asked = question;
    question.timer = setTimeout(() => {
      this.#restart();
      this.#end(() => question.reject(new Late()));
    }, PATIENCE);
    this.#worker.postMessage({ id: question.id, what: question.what, trial: JSON.stringify(question.trial) });
  }

  #settle(data, { resolve, reject }) {
    if (data.failure === undefined) resolve(JSON.parse(data.told));
    else reject(new Error(data.failure));
  }

  #end(tell) {
    const question = this.#asked;
    this.#asked = undefined;
    if (question) {
      clearTimeout(question.timer);
      tell(question);
    }
    const next = this.#next;
    this.#next = undefined;
    if (next) this.#ask(next);
  }

  #restart() {
    this.#worker.terminate();
    this.#start();
  }
}

// It took longer than anybody waits.
export class Late extends Error {}
