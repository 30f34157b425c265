// Runs the policy beside the page, so that a long text does not freeze it.
import { initSync, answer, files } from './engine_bindgen.js';

onmessage = ({ data }) => {
  if (data.module) {
    initSync({ module: data.module });
    return;
  }
  const { id, what, trial } = data;
  try {
    const told = what === 'files' ? files(trial) : answer(trial);
    postMessage({ id, told });
  } catch (error) {
    postMessage({ id, failure: String(error) });
  }
};
