// The denoiser of digits in a thread of its own: some forty forward passes a sample.
import { load, network } from "../shared/nn.js";
import { ddim } from "./ddim.js";

const loading = load("digits.safetensors").then((file) => ({ run: network(file), sampling: JSON.parse(file.about.sampling) }));
const pause = () => new Promise((go) => setTimeout(go)); // lets a newer request arrive
let turn = 0;

/** The prediction of v with classifier-free guidance; zeros in place of a class are "no condition". */
function guided(run, label, scale) {
  const withCondition = (x, t, condition) => run(Float32Array.of(...x, t, ...condition)).data;
  const none = new Float32Array(10), y = none.map((_, i) => Number(i === label));
  return (x, t) => {
    if (scale === 1) return withCondition(x, t, y);
    const v = withCondition(x, t, none);
    if (scale === 0) return v;
    const conditional = withCondition(x, t, y);
    return v.map((value, i) => value + scale * (conditional[i] - value));
  };
}

onmessage = async ({ data: { request, x, label, scale, input } }) => {
  try {
    const { run, sampling } = await loading;
    if (input) return postMessage({ output: run(input).data });
    const mine = ++turn;
    let step = 0;
    for (const state of ddim(guided(run, label, scale), sampling, x)) {
      postMessage({ request, step: step++, ...state });
      await pause();
      if (mine !== turn) return;
    }
  } catch (error) {
    postMessage({ error });
  }
};
