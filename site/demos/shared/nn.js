// A forward pass for the course's small networks, in plain typed arrays.
//
// A network is one safetensors file in half precision, as it ships, and the list of its layers,
// which `course_utils.authoring.demos` writes into the file's header. The tests hold every network
// that is run here equal to PyTorch. For networks of this size that is all that is needed: a face
// takes about five million multiplications, and the page loads without any library.

import { product } from "./product.js";

/** (R, C) -> (C, R). */
export function transposed(x, rows, columns) {
  const y = new Float32Array(x.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) y[c * rows + r] = x[r * columns + c];
  return y;
}

/** The number of a half-precision bit pattern. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** What a safetensors file holds: {tensors: name -> {shape, data}, about: its metadata}. */
export function readTensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const { __metadata__: about = {}, ...entries } = header;
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(entries)) {
    const bytes = buffer.slice(8 + length + from, 8 + length + to);
    if (dtype === "F32") tensors[name] = { shape, data: new Float32Array(bytes) };
    else if (dtype === "F16") tensors[name] = { shape, data: Float32Array.from(new Uint16Array(bytes), half) };
    else if (dtype === "U8") tensors[name] = { shape, data: new Uint8Array(bytes) };
    else throw new Error(`${name} is of the type ${dtype}, which is not read here.`);
  }
  return { tensors, about };
}

const ACTIVATIONS = {
  relu: (x) => (x > 0 ? x : 0),
  leaky: (x) => (x > 0 ? x : 0.2 * x),
  silu: (x) => x / (1 + Math.exp(-x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
};

// Each maker gets the layer's description and the tensors, and returns x -> y, where x is
// {data, shape: (C, H, W) or (features)}. What does not depend on x is computed once, here.
const LAYERS = {
  linear({ name }, tensors) {
    const { shape: [outputs, inputs], data } = tensors[`${name}.weight`];
    const weight = transposed(data, outputs, inputs), bias = tensors[`${name}.bias`]?.data;
    return (x) => {
      const y = product(x.data, weight, 1, inputs, outputs);
      if (bias) for (let o = 0; o < outputs; o++) y[o] += bias[o];
      return { data: y, shape: [outputs] };
    };
  },
  view: ({ shape }) => (x) => ({ data: x.data, shape }),
  affine: ({ scale, shift }) => (x) => ({ data: x.data.map((v) => v * scale + shift), shape: x.shape }),
  normalise({ name, epsilon }, tensors) { // batch normalisation with its running statistics
    const of = (what) => tensors[`${name}.${what}`].data;
    const [gain, shift, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(of);
    return (x) => {
      const y = new Float32Array(x.data.length), area = y.length / gain.length;
      for (let c = 0, i = 0; c < gain.length; c++) {
        const scale = gain[c] / Math.sqrt(variance[c] + epsilon), offset = shift[c] - mean[c] * scale;
        for (const end = i + area; i < end; i++) y[i] = x.data[i] * scale + offset;
      }
      return { data: y, shape: x.shape };
    };
  },
  instance({ epsilon }) { // instance normalisation without weights
    return (x) => {
      const y = new Float32Array(x.data.length), area = x.shape[1] * x.shape[2];
      for (let start = 0; start < y.length; start += area) {
        const end = start + area;
        let mean = 0, square = 0;
        for (let i = start; i < end; i++) mean += x.data[i];
        mean /= area;
        for (let i = start; i < end; i++) square += (x.data[i] - mean) ** 2;
        const scale = 1 / Math.sqrt(square / area + epsilon);
        for (let i = start; i < end; i++) y[i] = (x.data[i] - mean) * scale;
      }
      return { data: y, shape: x.shape };
    };
  },
  activate({ which }) {
    const f = ACTIVATIONS[which];
    return (x) => {
      const y = new Float32Array(x.data.length);
      for (let i = 0; i < y.length; i++) y[i] = f(x.data[i]);
      return { data: y, shape: x.shape };
    };
  },
  // A convolution gathers the patch of every output pixel into a column, then multiplies.
  convolution({ name, stride, padding }, tensors) {
    const { shape: [after, before, side], data } = tensors[`${name}.weight`];
    const weight = transposed(data, after, before * side * side), bias = tensors[`${name}.bias`]?.data;
    return (x) => {
      const [, H, W] = x.shape;
      const out = (length) => Math.floor((length + 2 * padding - side) / stride) + 1;
      const [h, w] = [out(H), out(W)], area = h * w;
      const patches = new Float32Array(before * side * side * area);
      for (let c = 0, row = 0; c < before; c++) for (let i = 0; i < side; i++) for (let j = 0; j < side; j++, row++) {
        for (let y = 0; y < h; y++) {
          const from = y * stride + i - padding;
          if (from < 0 || from >= H) continue;
          for (let z = 0; z < w; z++) {
            const column = z * stride + j - padding;
            if (column >= 0 && column < W) patches[row * area + y * w + z] = x.data[(c * H + from) * W + column];
          }
        }
      }
      return withBias(product(weight, patches, after, before * side * side, area), bias, [after, h, w]);
    };
  },
  // A transposed convolution multiplies first, then adds every contribution where it belongs.
  transposed({ name, stride, padding }, tensors) {
    const { shape: [before, after, side], data: weight } = tensors[`${name}.weight`];
    const bias = tensors[`${name}.bias`]?.data;
    return (x) => {
      const [, H, W] = x.shape, rows = after * side * side;
      const contributions = product(weight, x.data, rows, before, H * W);
      const out = (length) => (length - 1) * stride - 2 * padding + side;
      const [h, w] = [out(H), out(W)], y = new Float32Array(after * h * w);
      for (let c = 0, row = 0; c < after; c++) for (let i = 0; i < side; i++) for (let j = 0; j < side; j++, row++) {
        for (let p = 0; p < H; p++) {
          const to = p * stride + i - padding;
          if (to < 0 || to >= h) continue;
          for (let q = 0; q < W; q++) {
            const column = q * stride + j - padding;
            if (column >= 0 && column < w) y[(c * h + to) * w + column] += contributions[(row * H + p) * W + q];
          }
        }
      }
      return withBias(y, bias, [after, h, w]);
    };
  },
};

function withBias(data, bias, shape) {
  const area = shape[1] * shape[2];
  if (bias) for (let c = 0, i = 0; c < shape[0]; c++) for (const end = i + area; i < end; i++) data[i] += bias[c];
  return { data, shape };
}

/** The function x -> y of a network: x a Float32Array, y {data, shape}. */
export function network({ tensors, about }) {
  const layers = JSON.parse(about.layers).map((layer) => ({ ...layer, run: LAYERS[layer.op]?.(layer, tensors) }));
  const input = JSON.parse(about.input);
  return (data) => {
    if (data.length !== input.reduce((a, b) => a * b)) throw new Error(`This network takes ${input} numbers.`);
    let x = { data, shape: input };
    const kept = {};
    for (const { op, run, as } of layers) {
      if (op === "keep") kept[as] = x; // for a skip connection
      else if (op === "join") {
        const both = new Float32Array(x.data.length + kept[as].data.length);
        both.set(x.data);
        both.set(kept[as].data, x.data.length);
        x = { data: both, shape: [x.shape[0] + kept[as].shape[0], ...x.shape.slice(1)] };
      } else x = run(x);
    }
    return x;
  };
}

/** What a file of tensors on the server holds. */
export async function load(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`The network could not be loaded (${answer.status}).`);
  return readTensors(await answer.arrayBuffer());
}
