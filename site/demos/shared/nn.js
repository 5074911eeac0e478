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
// {data, shape: (C, H, W), (features), or (features, points)}. What does not depend on x is computed
// once, here. The second argument of a layer is what earlier layers have kept, by name.
const LAYERS = {
  linear({ name }, tensors) {
    const { shape: [outputs, inputs], data } = tensors[`${name}.weight`];
    const weight = transposed(data, outputs, inputs), bias = tensors[`${name}.bias`]?.data;
    return (x) => {
      const count = x.data.length / inputs, y = product(weight, x.data, outputs, inputs, count);
      if (bias) for (let o = 0, i = 0; o < outputs; o++) for (const end = i + count; i < end; i++) y[i] += bias[o];
      return { data: y, shape: [outputs, ...x.shape.slice(1)] };
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
  group({ name, epsilon }, tensors) { // group normalisation with one group
    const gain = tensors[`${name}.weight`].data, shift = tensors[`${name}.bias`].data;
    return (x) => {
      const y = new Float32Array(x.data.length), area = y.length / gain.length;
      let mean = 0, square = 0;
      for (let i = 0; i < y.length; i++) mean += x.data[i];
      mean /= y.length;
      for (let i = 0; i < y.length; i++) square += (x.data[i] - mean) ** 2;
      const deviation = Math.sqrt(square / y.length + epsilon);
      for (let c = 0, i = 0; c < gain.length; c++) {
        const scale = gain[c] / deviation, offset = shift[c] - mean * scale;
        for (const end = i + area; i < end; i++) y[i] = x.data[i] * scale + offset;
      }
      return { data: y, shape: x.shape };
    };
  },
  modulate({ name, by }, tensors) { // channels are scaled and shifted by a linear layer of an embedding
    const describe = LAYERS.linear({ name }, tensors);
    return (x, kept) => {
      const y = new Float32Array(x.data.length), channels = x.shape[0], area = y.length / channels;
      const { data } = describe(kept[by]);
      for (let c = 0, i = 0; c < channels; c++) {
        for (const end = i + area; i < end; i++) y[i] = x.data[i] * (1 + data[c]) + data[channels + c];
      }
      return { data: y, shape: x.shape };
    };
  },
  // Sines of every feature, at frequencies and phases.
  waves: ({ angles }) => (x) => {
    const y = angles.flatMap(([frequency, phase]) => Array.from(x.data, (v) => Math.sin(frequency * v + phase)));
    return { data: Float32Array.from(y), shape: [angles.length * x.shape[0], ...x.shape.slice(1)] };
  },
  keep: ({ as }) => (x, kept) => (kept[as] = x), // for skip connections, and for several inputs
  take: ({ as }) => (x, kept) => kept[as],
  part: ({ from, to }) => ({ data, shape: [count, ...sides] }) => {
    const each = data.length / count;
    return { data: data.subarray(from * each, to * each), shape: [to - from, ...sides] };
  },
  add: ({ as }) => (x, kept) => ({ data: x.data.map((v, i) => v + kept[as].data[i]), shape: x.shape }),
  join: ({ as }) => ({ data, shape: [count, ...sides] }, kept) => {
    const other = kept[as], both = new Float32Array(data.length + other.data.length);
    both.set(data);
    both.set(other.data, data.length);
    return { data: both, shape: [count + other.shape[0], ...sides] };
  },
  unshuffle: ({ side }) => ({ data, shape: [channels, H, W] }) => { // blocks of pixels become channels
    const y = new Float32Array(data.length);
    everyPixel([channels, H, W], side, (fine, folded) => { y[folded] = data[fine]; });
    return { data: y, shape: [channels * side ** 2, H / side, W / side] };
  },
  shuffle: ({ side }) => ({ data, shape: [channels, H, W] }) => { // and the other way round
    const y = new Float32Array(data.length), shape = [channels / side ** 2, H * side, W * side];
    everyPixel(shape, side, (fine, folded) => { y[fine] = data[folded]; });
    return { data: y, shape };
  },
  upsample: ({ side }) => ({ data, shape: [channels, H, W] }) => { // every pixel becomes a block
    const y = new Float32Array(data.length * side ** 2), [h, w] = [H * side, W * side];
    for (let row = 0, i = 0; row < channels * h; row++) {
      const from = Math.floor(row / side) * W;
      for (let z = 0; z < w; z++, i++) y[i] = data[from + Math.floor(z / side)];
    }
    return { data: y, shape: [channels, h, w] };
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

/** Of every pixel of an image: its place there, and where it is once blocks of pixels are channels. */
function everyPixel([channels, H, W], side, tell) {
  const [h, w] = [H / side, W / side];
  for (let c = 0, fine = 0; c < channels; c++) for (let y = 0; y < H; y++) for (let z = 0; z < W; z++, fine++) {
    const channel = (c * side + (y % side)) * side + (z % side);
    tell(fine, (channel * h + Math.floor(y / side)) * w + Math.floor(z / side));
  }
}

function withBias(data, bias, shape) {
  const area = shape[1] * shape[2];
  if (bias) for (let c = 0, i = 0; c < shape[0]; c++) for (const end = i + area; i < end; i++) data[i] += bias[c];
  return { data, shape };
}

/**
 * The function x -> y of a network: x a Float32Array, y {data, shape}. A network of points takes
 * `count` of them at once, side by side: all their first features, then all their second ones, ….
 */
export function network({ tensors, about }) {
  const layers = JSON.parse(about.layers).map((layer) => LAYERS[layer.op](layer, tensors));
  const input = JSON.parse(about.input), size = input.reduce((a, b) => a * b);
  return (data, count = 1) => {
    if (data.length !== count * size) throw new Error(`This network takes ${input} numbers.`);
    const kept = {}, x = { data, shape: count === 1 ? input : [...input, count] };
    return layers.reduce((y, layer) => layer(y, kept), x);
  };
}

/** What a file of tensors on the server holds. */
export async function load(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`The network could not be loaded (${answer.status}).`);
  return readTensors(await answer.arrayBuffer());
}
