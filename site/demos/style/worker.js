// The network of lesson 01c in a thread of its own, run by onnxruntime-web.
import * as ort from "../ort/ort.wasm.min.mjs";

let session;

/** The bytes of a gzipped file, whether or not the server has unpacked it on the way. */
async function unpacked(address) {
  const bytes = await (await fetch(address)).arrayBuffer();
  const [first, second] = new Uint8Array(bytes, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return bytes;
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

async function begin() {
  const [wasm, model] = await Promise.all([
    unpacked(new URL("../ort/ort-wasm-simd-threaded.wasm.gz", import.meta.url)),
    fetch(new URL("stylizer.onnx", import.meta.url)).then((answer) => answer.arrayBuffer()),
  ]);
  Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: wasm, wasmPaths: new URL("../ort/", import.meta.url).href });
  session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
}

async function pass({ pixels, width, height, shares, number }) {
  if (!session) return;
  const start = performance.now();
  const { styled } = await session.run({
    images: new ort.Tensor("float32", pixels, [1, 3, height, width]),
    shares: new ort.Tensor("float32", shares, [1, shares.length]),
  });
  postMessage({ styled: styled.data, number, milliseconds: performance.now() - start });
}

let turn = begin();
onmessage = ({ data }) => { // one pass at a time
  turn = turn.then(() => pass(data)).catch((error) => postMessage({ error: error.message }));
};
