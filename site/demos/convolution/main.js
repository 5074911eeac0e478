// A kernel walks over a small image: input, kernel and output with their numbers.
import { choice, el, ready, slider } from "../shared/demo.js";
import { randomNumbers } from "../shared/random.js";
import { convolve, outputSize } from "./convolution.js";

const find = (id) => document.getElementById(id);
const MOST = 8, KERNELS = {
  numbers: "small whole numbers", mean: "all ones (a sum)", edges: "−1 left, 1 right (vertical edges)", middle: "1 in the middle (the identity)",
};
const random = randomNumbers(3), image = Array.from({ length: MOST * MOST }, () => Math.floor(4 * random.uniform()));
const small = Array.from({ length: 25 }, () => Math.floor(4 * random.uniform()) - 1);

const control = (label, meaning, min, max, value) => slider({ label, meaning, min, max, step: 1, value, show: String, change: () => { step.value = 0; draw(); } });
const size = control("Input d", "Rows and columns of the image. Press a pixel to raise its number.", 2, MOST, 6);
const side = control("Kernel f", "Rows and columns of the kernel.", 1, 5, 3);
const stride = control("Stride s", "How far the kernel moves at each step. In a transposed convolution: how far apart the contributions lie.", 1, 3, 2);
const padding = control("Padding p", "Rows and columns of zeros on every side. In a transposed convolution: how many are cut off.", 0, 3, 0);
const direction = choice({ label: "Direction", options: { forward: "convolution", transposed: "transposed convolution" }, value: "forward", meaning: "Transposed: each pixel sends the whole kernel, times its number, to the output.", change: () => { step.value = 0; draw(); } });
const weights = choice({ label: "Weights", options: KERNELS, value: "numbers", meaning: "Of the kernel.", change: () => draw() });
const step = slider({ label: "Step", meaning: "Which position of the kernel, row by row.", min: 0, max: 143, step: 1, value: 2, show: (v) => String(v + 1), change: () => draw() });
find("controls").append(...[step, size, side, stride, padding, direction, weights].map((one) => one.root));

function kernelOf(f) {
  return Array.from({ length: f * f }, (_, k) => {
    const [i, j] = [Math.floor(k / f), k % f], middle = (f - 1) / 2;
    if (weights.value === "mean") return 1;
    if (weights.value === "edges") return Math.sign(j - middle);
    if (weights.value === "middle") return Number(i === Math.floor(middle) && j === Math.floor(middle));
    return small[i * 5 + j];
  });
}

function grid(title, rows, cell) {
  const cells = [];
  for (let y = 0; y < rows; y++) for (let x = 0; x < rows; x++) cells.push(cell(y, x));
  return el("figure", {}, el("figcaption", {}, title), el("div", { class: "grid", style: `grid-template-columns: repeat(${rows}, auto); justify-content: start` }, ...cells));
}
const box = (text, ...names) => el("span", { class: names.filter(Boolean).join(" ") }, String(text).replace("-", "−"));

function draw() {
  const [d, f, s, p, transposed] = [size.value, side.value, stride.value, padding.value, direction.value === "transposed"];
  const kernel = kernelOf(f), pixels = Array.from({ length: d * d }, (_, k) => image[Math.floor(k / d) * MOST + (k % d)]);
  const n = outputSize(d, f, p, s, transposed), output = convolve(pixels, d, kernel, f, p, s, transposed);
  const walk = transposed ? d : Math.max(n, 0), positions = walk * walk;
  step.input.max = Math.max(0, positions - 1);
  step.value = Math.min(step.value, Math.max(0, positions - 1));
  const [row, column] = [Math.floor(step.value / Math.max(walk, 1)), step.value % Math.max(walk, 1)];
  const formula = transposed ? `d′ = (d − 1)·s − 2p + f = (${d} − 1)·${s} − 2·${p} + ${f} = ${n}` : `d′ = ⌊(d − f + 2p) / s⌋ + 1 = ⌊(${d} − ${f} + 2·${p}) / ${s}⌋ + 1 = ${n}`;
  const inKernel = (y, x) => y >= row * s - p && y < row * s - p + f && x >= column * s - p && x < column * s - p + f;
  const border = transposed ? 0 : p, reached = (v) => !transposed && v - -p < (walk - 1) * s + f;
  const input = grid(`input, ${d} × ${d}${border ? `, padded by ${p}` : ""}`, d + 2 * border, (py, px) => {
    const [y, x] = [py - border, px - border];
    if (y < 0 || x < 0 || y >= d || x >= d) return box(0, "padding", positions && inKernel(y, x) && "below");
    const state = transposed ? (y === row && x === column ? "below" : "") : inKernel(y, x) && positions ? "below" : reached(y) && reached(x) ? "" : "unreached";
    return el("button", { type: "button", class: state, "aria-label": `Row ${y + 1}, column ${x + 1}: ${image[y * MOST + x]}`, onclick: () => { image[y * MOST + x] = (image[y * MOST + x] + 1) % 10; draw(); find("grids").querySelectorAll(".grid button")[y * d + x].focus(); } }, String(image[y * MOST + x]));
  });
  const parts = [input, grid(`kernel, ${f} × ${f}`, f, (y, x) => box(kernel[y * f + x]))];
  if (output) parts.push(grid(`output, ${n} × ${n}`, n, (y, x) => box(output[y * n + x], transposed ? inKernel(y, x) && "below" : y === row && x === column && "here")));
  find("grids").replaceChildren(...parts);
  const shown = (v) => (v < 0 ? `(−${-v})` : v);
  let sentence = "The kernel does not fit into the image: there is no output.";
  if (output && transposed) sentence = `The pixel ${pixels[row * d + column]} sends ${pixels[row * d + column]} times the kernel to the blue outputs, where contributions of several pixels add up.`;
  else if (output) {
    const terms = kernel.map((w, k) => {
      const [y, x] = [row * s - p + Math.floor(k / f), column * s - p + (k % f)];
      return `${y < 0 || x < 0 || y >= d || x >= d ? 0 : pixels[y * d + x]}·${shown(w)}`;
    });
    sentence = `${terms.join(" + ")} = ${String(output[row * n + column]).replace("-", "−")}`;
  }
  find("sum").replaceChildren(el("span", {}, formula), el("br"), el("span", {}, sentence));
}

const positions = () => Number(step.input.max) + 1;
const move = (by) => { step.value = (step.value + by + positions()) % positions(); draw(); };
find("back").addEventListener("click", () => move(-1));
find("forward").addEventListener("click", () => move(1));
let timer = null;
find("play").addEventListener("click", () => {
  if (timer) { clearInterval(timer); timer = null; } else timer = setInterval(() => move(1), 700);
  find("play").textContent = timer ? "Pause" : "Play";
});

draw();
ready({ convolve: (...all) => Array.from(convolve(...all) ?? []), step: (k) => { step.value = k % positions(); const start = performance.now(); draw(); return performance.now() - start; } });
