// A GAN on points of the plane, trained step by step: networks, gradients and Adam in typed arrays.
//
// Networks, losses, initial weights and optimizer are those of lesson 04b. Activations are stored a
// row per sample. D's output is one number a sample, so one backward pass gives ∂D/∂(every unit),
// which serves the loss, the gradient at the inputs and the penalty on that gradient alike.

import { product } from "../shared/product.js";

const HIDDEN = [64, 64, 64];
const SLOPES = { relu: 0, leaky: 0.2 };

/** Y (N, O) = X (N, I) W (I, O), plus a bias, then max(y, slope · y); slope 1 is the identity. */
export function dense(X, W, bias, N, I, O, slope, Y) {
  const wide = O - (O % 4), even = N - (N % 2);
  for (let n = 0; n < even; n += 2) {
    for (let o = 0; o < wide; o += 4) {
      let a0 = 0, a1 = 0, a2 = 0, a3 = 0;
      if (bias) { a0 = bias[o]; a1 = bias[o + 1]; a2 = bias[o + 2]; a3 = bias[o + 3]; }
      let b0 = a0, b1 = a1, b2 = a2, b3 = a3;
      for (let i = 0, p = n * I, q = p + I, w = o; i < I; i++, p++, q++, w += O) {
        const x = X[p], y = X[q], u0 = W[w], u1 = W[w + 1], u2 = W[w + 2], u3 = W[w + 3];
        a0 += x * u0; a1 += x * u1; a2 += x * u2; a3 += x * u3;
        b0 += y * u0; b1 += y * u1; b2 += y * u2; b3 += y * u3;
      }
      const c = n * O + o, d = c + O;
      if (slope === 1) {
        Y[c] = a0; Y[c + 1] = a1; Y[c + 2] = a2; Y[c + 3] = a3;
        Y[d] = b0; Y[d + 1] = b1; Y[d + 2] = b2; Y[d + 3] = b3;
      } else {
        Y[c] = a0 > 0 ? a0 : slope * a0; Y[c + 1] = a1 > 0 ? a1 : slope * a1;
        Y[c + 2] = a2 > 0 ? a2 : slope * a2; Y[c + 3] = a3 > 0 ? a3 : slope * a3;
        Y[d] = b0 > 0 ? b0 : slope * b0; Y[d + 1] = b1 > 0 ? b1 : slope * b1;
        Y[d + 2] = b2 > 0 ? b2 : slope * b2; Y[d + 3] = b3 > 0 ? b3 : slope * b3;
      }
    }
  }
  const one = (n, o) => {
    let sum = bias ? bias[o] : 0;
    for (let i = 0, p = n * I, w = o; i < I; i++, p++, w += O) sum += X[p] * W[w];
    Y[n * O + o] = sum > 0 ? sum : slope * sum;
  };
  for (let n = 0; n < N; n++) for (let o = n < even ? wide : 0; o < O; o++) one(n, o);
  return Y;
}

/** What a batch of N needs at every layer of a network with these widths. */
const rows = (widths, N) => widths.map((width) => new Float32Array(N * width));

/** A multilayer perceptron with Adam. */
export class Perceptron {
  constructor(outputs, activation, random) {
    this.widths = [2, ...HIDDEN, outputs];
    this.slope = SLOPES[activation];
    this.layers = HIDDEN.length + 1;
    this.weight = []; this.bias = [];
    for (let l = 0; l < this.layers; l++) {
      const [I, O] = [this.widths[l], this.widths[l + 1]], reach = 1 / Math.sqrt(I);
      const uniform = () => reach * (2 * random.uniform() - 1);
      this.weight.push(Float32Array.from({ length: I * O }, uniform));
      this.bias.push(Float32Array.from({ length: O }, uniform));
    }
    const like = () => this.parameters().map((p) => new Float32Array(p.length));
    this.gradient = like(); this.first = like(); this.second = like();
    this.updates = 0;
    this.turned = this.weight.map((w) => new Float32Array(w.length));
    this.work = new Map();
  }

  parameters() { return [...this.weight, ...this.bias]; }

  /** Arrays for a batch, kept from step to step. */
  arrays(kind, N) {
    const key = `${kind} ${N}`;
    if (!this.work.has(key)) this.work.set(key, rows(this.widths, N));
    return this.work.get(key);
  }

  /** The activations of every layer; the last is the output. */
  forward(x, N, kind = "forward") {
    const h = this.arrays(kind, N);
    h[0] = x;
    for (let l = 0; l < this.layers; l++) {
      const slope = l + 1 < this.layers ? this.slope : 1;
      dense(h[l], this.weight[l], this.bias[l], N, this.widths[l], this.widths[l + 1], slope, h[l + 1]);
    }
    return h;
  }

  /** From a gradient at the outputs to those at every layer's units and at the inputs. */
  backward(h, atOutput, N) {
    const d = this.arrays("backward", N);
    d[this.layers] = atOutput;
    for (let l = this.layers - 1; l >= 0; l--) {
      const [I, O] = [this.widths[l], this.widths[l + 1]], W = this.weight[l], T = this.turned[l];
      for (let i = 0; i < I; i++) for (let o = 0; o < O; o++) T[o * I + i] = W[i * O + o];
      dense(d[l + 1], T, null, N, O, I, 1, d[l]);
      if (l > 0) {
        const own = d[l], above = h[l], slope = this.slope;
        for (let k = 0; k < own.length; k++) if (!(above[k] > 0)) own[k] *= slope;
      }
    }
    return d;
  }

  /** The gradient of a layer's weights and bias; `inputs` and `units` have a row per sample. */
  collect(l, inputs, units, N) {
    const [I, O] = [this.widths[l], this.widths[l + 1]];
    product(inputs, units, I, N, O, this.gradient[l]);
    this.collectBias(l, units, N);
  }

  collectBias(l, units, N, weight) {
    const O = this.widths[l + 1], bias = this.gradient[this.layers + l].fill(0);
    for (let n = 0, k = 0; n < N; n++) for (let o = 0; o < O; o++, k++) bias[o] += weight ? weight[n] * units[k] : units[k];
  }

  /** One step of Adam (Kingma and Ba 2015). */
  update(lr, beta1, beta2 = 0.99, epsilon = 1e-8) {
    this.updates++;
    const scale = lr / (1 - beta1 ** this.updates), root = Math.sqrt(1 - beta2 ** this.updates);
    this.parameters().forEach((weights, number) => {
      const g = this.gradient[number], m = this.first[number], v = this.second[number];
      for (let k = 0; k < weights.length; k++) {
        m[k] = beta1 * m[k] + (1 - beta1) * g[k];
        v[k] = beta2 * v[k] + (1 - beta2) * g[k] * g[k];
        weights[k] -= (scale * m[k]) / (Math.sqrt(v[k]) / root + epsilon);
      }
    });
  }
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
export const cosine = (progress) => 0.5 * (1 + Math.cos(Math.PI * progress));

/** The methods of lesson 04b that can be chosen, with the settings of its tables. */
export const METHODS = {
  plain: { name: "plain GAN", relativistic: false, penalty: null, lr: 3e-3, beta1: 0, batch: 128, updates: 5000 },
  momentum: { name: "plain GAN, momentum 0.9", relativistic: false, penalty: null, lr: 3e-3, beta1: 0.9, batch: 128, updates: 5000 },
  finalist: {
    name: "relativistic loss, R1 + R2 that fade", relativistic: true,
    penalty: (progress) => 0.5 * (1 - progress) ** 2 + 0.001, lr: 2e-3, beta1: 0, batch: 256, updates: 5000,
  },
  constant: { name: "relativistic loss, R1 + R2", relativistic: true, penalty: () => 0.1, lr: 3e-3, beta1: 0, batch: 128, updates: 5000 },
};

/** A training that can be stopped after any step. */
export class Training {
  /**
   * @param method one of `METHODS`
   * @param data points (x, y), one after the other, from which batches are drawn
   * @param random of `randomNumbers`
   */
  constructor(method, data, random) {
    this.method = { ...method };
    this.random = random;
    this.G = new Perceptron(2, "relu", random);
    this.D = new Perceptron(1, "leaky", random);
    this.average = this.G.parameters().map((p) => p.slice());
    this.steps = 0;
    this.losses = { D: [], G: [] };
    this.setData(data);
  }

  setData(points) {
    this.data = points;
    this.order = Uint32Array.from({ length: points.length / 2 }, (_, i) => i);
    this.next = this.order.length;
  }

  /** A batch of data, every point once before any comes again. */
  realBatch(N) {
    const batch = new Float32Array(2 * N), { order, random } = this;
    for (let n = 0; n < N; n++) {
      if (this.next >= order.length) {
        for (let i = order.length - 1; i > 0; i--) {
          const j = Math.floor((i + 1) * random.uniform());
          [order[i], order[j]] = [order[j], order[i]];
        }
        this.next = 0;
      }
      const k = order[this.next++];
      batch[2 * n] = this.data[2 * k];
      batch[2 * n + 1] = this.data[2 * k + 1];
    }
    return batch;
  }

  noise(N) { return Float32Array.from({ length: 2 * N }, () => this.random.normal()); }

  /** The rate (unless `method.constant`) and the penalty fall over the planned updates. */
  get progress() { return Math.min(this.steps / this.method.updates, 1 - 1 / this.method.updates); }

  step() {
    const { method, progress } = this, N = method.batch;
    const real = this.realBatch(N), lr = method.lr * (method.constant ? 1 : cosine(progress));
    const lossD = this.stepD(real, this.G.forward(this.noise(N), N).at(-1), N, lr, progress);
    const lossG = this.stepG(real, this.noise(N), N, lr);
    const weights = this.G.parameters();
    this.average.forEach((mean, number) => {
      const now = weights[number];
      for (let k = 0; k < mean.length; k++) mean[k] += 0.001 * (now[k] - mean[k]);
    });
    this.steps++;
    this.losses.D.push(lossD);
    this.losses.G.push(lossG);
  }

  stepD(real, fake, N, lr, progress) {
    const { D, method } = this, all = 2 * N;
    const x = new Float32Array(2 * all);
    x.set(real);
    x.set(fake, 2 * N);
    const h = D.forward(x, all), logits = h.at(-1), c = new Float32Array(all); // c = ∂loss/∂logit
    let loss = 0;
    for (let n = 0; n < N; n++) {
      const r = logits[n], f = logits[N + n];
      if (method.relativistic) {
        loss += softplus(f - r) / N;
        c[N + n] = sigmoid(f - r) / N;
        c[n] = -c[N + n];
      } else {
        loss += (softplus(-r) + softplus(f)) / N;
        c[n] = -sigmoid(-r) / N;
        c[N + n] = sigmoid(f) / N;
      }
    }
    const unit = D.backward(h, (this.ones ??= {})[all] ??= new Float32Array(all).fill(1), all); // ∂D/∂unit
    const weight = method.penalty ? method.penalty(progress) / N : 0;
    // Where the slopes of the units do not change, ½ ‖∇D‖² has the gradient t ⊗ ∂D/∂unit, where t
    // are the activations when ∇D itself is sent forwards through the linearized network.
    const t = weight ? this.tangent(h, unit[0], all) : null;
    if (weight) for (let k = 0; k < unit[0].length; k++) loss += 0.5 * weight * unit[0][k] ** 2;
    for (let l = 0; l < D.layers; l++) {
      const width = D.widths[l], mixed = D.arrays("mixed", all)[l];
      for (let n = 0, k = 0; n < all; n++) {
        const scale = c[n];
        if (t) for (const end = k + width; k < end; k++) mixed[k] = scale * h[l][k] + weight * t[l][k];
        else for (const end = k + width; k < end; k++) mixed[k] = scale * h[l][k];
      }
      product(mixed, unit[l + 1], width, all, D.widths[l + 1], D.gradient[l]);
      D.collectBias(l, unit[l + 1], all, c);
    }
    D.update(lr, method.beta1);
    return loss;
  }

  tangent(h, gradient, N) {
    const { D } = this, t = D.arrays("tangent", N);
    t[0] = gradient;
    for (let l = 0; l + 1 < D.layers; l++) {
      dense(t[l], D.weight[l], null, N, D.widths[l], D.widths[l + 1], 1, t[l + 1]);
      const own = t[l + 1], above = h[l + 1], slope = D.slope;
      for (let k = 0; k < own.length; k++) if (!(above[k] > 0)) own[k] *= slope;
    }
    return t;
  }

  stepG(real, z, N, lr) {
    const { G, D, method } = this;
    const onReal = method.relativistic ? D.forward(real, N).at(-1).slice() : null;
    const g = G.forward(z, N), h = D.forward(g.at(-1), N), logits = h.at(-1), c = new Float32Array(N);
    let loss = 0;
    for (let n = 0; n < N; n++) {
      const difference = (onReal ? onReal[n] : 0) - logits[n];
      loss += softplus(difference) / N;
      c[n] = -sigmoid(difference) / N;
    }
    const atSamples = D.backward(h, c, N)[0], units = G.backward(g, atSamples, N);
    for (let l = 0; l < G.layers; l++) G.collect(l, g[l], units[l + 1], N);
    G.update(lr, method.beta1);
    return loss;
  }

  /** Generated points for z, by the last weights or by their exponential moving average. */
  samples(z, averaged = false) {
    const net = Object.create(this.G);
    if (averaged) {
      net.weight = this.average.slice(0, this.G.layers);
      net.bias = this.average.slice(this.G.layers);
    }
    return net.forward(z, z.length / 2, "samples").at(-1).slice();
  }

  /**
   * D(x) in [0, 1] on a grid of side², rows from the top. A relativistic loss determines D only up
   * to a constant: there ½ is put halfway between the mean logits of data and samples.
   */
  surface(side, reach, samples) {
    const at = new Float32Array(2 * side * side);
    for (let y = 0, k = 0; y < side; y++) for (let x = 0; x < side; x++, k += 2) {
      at[k] = reach * (2 * ((x + 0.5) / side) - 1);
      at[k + 1] = reach * (1 - 2 * ((y + 0.5) / side));
    }
    const mean = (points) => this.D.forward(points, points.length / 2, "some").at(-1).reduce((a, b) => a + b, 0) / (points.length / 2);
    const some = (points) => points.slice(0, 256);
    const middle = this.method.relativistic ? (mean(some(this.data)) + mean(some(samples))) / 2 : 0;
    return this.D.forward(at, side * side, "surface").at(-1).map((logit) => sigmoid(logit - middle));
  }
}

/** The ring or the grid of Gaussians of the lessons, scaled as there: {means, std}. */
export function mixture(name) {
  const means = [];
  if (name === "ring") for (let k = 0; k < 8; k++) means.push([Math.cos((k * Math.PI) / 4), Math.sin((k * Math.PI) / 4)]);
  else for (let x = -4; x <= 4; x += 2) for (let y = -4; y <= 4; y += 2) means.push([x, y]);
  const square = means.flat().reduce((sum, c) => sum + c * c, 0) / (2 * means.length), scale = 1 / Math.sqrt(square);
  return { means: means.map((m) => m.map((c) => c * scale)), std: (name === "ring" ? 0.01 : 0.05) * scale };
}

/** Points of a mixture, one after the other. */
export function draw({ means, std }, count, random) {
  const points = new Float32Array(2 * count);
  for (let n = 0; n < count; n++) {
    const mean = means[Math.floor(means.length * random.uniform())];
    points[2 * n] = mean[0] + std * random.normal();
    points[2 * n + 1] = mean[1] + std * random.normal();
  }
  return points;
}

/** Modes with at least 1 % of the samples, the share within three standard deviations, reverse KL. */
export function measures(samples, { means, std }) {
  const count = samples.length / 2, found = new Float64Array(means.length);
  let off = 0;
  for (let n = 0; n < count; n++) {
    let [best, nearest] = [Infinity, 0];
    means.forEach(([x, y], k) => {
      const distance = (samples[2 * n] - x) ** 2 + (samples[2 * n + 1] - y) ** 2;
      if (distance < best) [best, nearest] = [distance, k];
    });
    if (best <= (3 * std) ** 2) found[nearest]++; else off++;
  }
  const missed = Math.exp(-4.5), part = (share, expected) => (share > 0 ? share * Math.log(share / expected) : 0);
  let reverseKL = part(off / count, missed);
  for (const k of found) reverseKL += part(k / count, (1 - missed) / means.length);
  return { modes: found.filter((k) => k / count >= 0.01).length, quality: 1 - off / count, reverseKL };
}
