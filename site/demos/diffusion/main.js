// Two diffusion models at one step: samples of the ring on the plane, and a digit of a class.
import { button, colour, draggable, el, fail, gradually, onceAFrame, onThemeChange, paint, ready, slider, whenSeen } from "../shared/demo.js";
import { load, network } from "../shared/nn.js";
import { randomNumbers } from "../shared/random.js";
import { ddim } from "./ddim.js";

const REACH = 3, CLOSE = 0.15, SAMPLES = 600, PORTION = 10, SIDE = 32;
const find = (id) => document.getElementById(id);

const file = await load("ring.safetensors").catch(fail);
const denoiser = network(file), sampling = JSON.parse(file.about.sampling), modes = JSON.parse(file.about.modes);
const STEPS = sampling.times.length;

/** The states of some points on their way from noise to data; their first coordinates come first. */
function flow(points) {
  const count = points.length / 2;
  const predict = (x, t) => denoiser(Float32Array.from({ length: 3 * count }, (_, i) => x[i] ?? t), count).data;
  return [...ddim(predict, sampling, points)];
}

/** The mode that is nearest to a point, and how far it is. */
function nearest(x, y) {
  const distances = modes.map(([a, b]) => Math.hypot(x - a, y - b)), distance = Math.min(...distances);
  return { mode: distances.indexOf(distance), distance };
}

const step = slider({
  label: "Step", min: 0, max: STEPS, step: 1, value: 10, show: (k) => `${k} of ${STEPS}`, change: () => drawSoon(),
  meaning: "Step 0 is noise (t = T), the last step is a sample (t = 0). At each step xₜ moves a little towards the denoiser’s estimate of x₀.",
});
find("time").append(step.root);

// The plane.
const plane = find("plane"), context = find("map").getContext("2d"), PIXELS = find("map").width;
const handle = el("button", { type: "button", class: "handle", "aria-describedby": "caption" });
plane.append(handle);
const px = (x) => (PIXELS * (1 + x / REACH)) / 2, py = (y) => (PIXELS * (1 - y / REACH)) / 2;

const samples = []; // {states, ends} of a portion
let start = [0.4, 0.2], path; // near a boundary between two modes

function setStart(point) {
  start = point.map((value) => Math.max(-REACH, Math.min(REACH, value)));
  path = flow(Float32Array.from(start));
  drawSoon();
}

function circle([x, y], radius) {
  context.moveTo(px(x) + radius, py(y));
  context.arc(px(x), py(y), radius, 0, 2 * Math.PI);
}

function line(points, style, width, dashes = []) {
  context.strokeStyle = style;
  context.lineWidth = width;
  context.setLineDash(dashes);
  context.beginPath();
  for (const [x, y] of points) context.lineTo(px(x), py(y));
  context.stroke();
  context.setLineDash([]);
}

function drawPlane() {
  context.fillStyle = colour("panel");
  context.fillRect(0, 0, PIXELS, PIXELS);
  context.globalAlpha = 0.75;
  for (const which of [0, 1]) {
    context.fillStyle = colour(["cool", "fake"][which]);
    context.beginPath();
    for (const { states, ends } of samples) {
      const { x } = states[step.value];
      ends.forEach((mode, n) => { if (mode % 2 === which) circle([x[n], x[n + PORTION]], 3); });
    }
    context.fill();
  }
  context.globalAlpha = 1;
  context.strokeStyle = colour("quiet");
  context.lineWidth = 1.5;
  context.beginPath();
  modes.forEach((mean) => circle(mean, 13));
  context.stroke();
  drawPath();
}

function drawPath() {
  const { x, x0, sigma } = path[step.value], text = colour("text"), accent = colour("accent");
  const points = path.map((state) => state.x);
  line(points.slice(0, step.value + 1), text, 3);
  line(points.slice(step.value), text, 2.5, [2, 5]);
  line([x, x0], accent, 2.5, [7, 5]);
  context.lineWidth = 3;
  context.strokeStyle = accent;
  context.beginPath();
  circle(x0, 8);
  context.stroke();
  context.fillStyle = text;
  context.strokeStyle = colour("panel");
  context.lineWidth = 2;
  context.beginPath();
  circle(x, 7);
  context.fill();
  context.stroke();
  const { mode, distance } = nearest(...path[STEPS].x);
  const end = distance < CLOSE ? `leads to the mode at ${45 * mode}°` : "ends beside the modes: the denoiser is not exact here";
  handle.style.left = `${(100 * px(start[0])) / PIXELS}%`;
  handle.style.top = `${(100 * py(start[1])) / PIXELS}%`;
  handle.setAttribute("aria-label", `Start of noise at ${start.map((value) => value.toFixed(2)).join(", ")}, which ${end}; move it with the arrow keys`);
  find("where").textContent = `This start ${end}. σₜ = ${sigma.toFixed(2)}`;
}

draggable(plane, handle, {
  to: (shares) => setStart(shares.map((share) => REACH * (2 * share - 1))),
  by: (direction, { shiftKey }) => setStart(start.map((value, i) => value + (shiftKey ? 0.3 : 0.05) * direction[i])),
});

/** The samples, a portion at a time, so that the page answers meanwhile. */
function sampleRing() {
  const { normal } = randomNumbers(1);
  gradually()(Array.from({ length: SAMPLES / PORTION }, () => () => {
    const states = flow(Float32Array.from({ length: 2 * PORTION }, normal)), { x } = states[STEPS];
    samples.push({ states, ends: Array.from({ length: PORTION }, (_, n) => nearest(x[n], x[n + PORTION]).mode) });
    if (samples.length === SAMPLES / PORTION) find("map").dataset.complete = "yes";
    drawSoon();
  }));
}

// The digit, which a worker samples.
let worker, noise, label = 3, request = 0, seed = 0, shown = [], coming = [];

const classes = Array.from({ length: 10 }, (_, number) => button(String(number), () => {
  label = number;
  classes.forEach((one, i) => one.setAttribute("aria-pressed", i === label));
  sampleDigit();
}, { "aria-pressed": number === label, "aria-label": `Class ${number}` }));
find("classes").append(...classes);
const scale = slider({
  label: "Guidance scale", min: 0, max: 4, step: 0.5, value: 2, show: (s) => s.toFixed(1), change: () => sampleDigit(),
  meaning: "How strongly the class counts: 0 ignores it, 1 is the conditional model, more makes the class clearer and the digits more alike.",
});
find("controls").append(scale.root);

function newNoise() {
  const { normal } = randomNumbers(++seed);
  noise = Float32Array.from({ length: SIDE * SIDE }, normal);
  sampleDigit();
}

function sampleDigit() {
  coming = [];
  delete find("sample").dataset.complete;
  worker?.postMessage({ request: ++request, x: noise, label, scale: scale.value });
}

/** The worker begins when the demo is seen: its network is several times as large as the page. */
function startWorker() {
  worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => {
    if (data.error) fail(data.error);
    if (data.request !== request) return;
    coming[data.step] = data;
    if (data.step === STEPS) find("sample").dataset.complete = "yes";
    drawSoon();
  };
  sampleDigit();
}

/** A digit stays until the next one has come as far. */
function drawDigit() {
  if (coming.length > step.value) shown = coming;
  find("progress").textContent = coming.length > STEPS ? "" : `· sampling, step ${Math.max(0, coming.length - 1)} of ${STEPS}`;
  const state = shown[Math.min(step.value, shown.length - 1)];
  if (!state) return;
  const image = (pixels) => ({ data: pixels.map((value) => (value + 1) / 2), shape: [1, SIDE, SIDE] });
  paint(find("noisy"), image(state.x));
  paint(find("estimate"), image(state.x0));
  find("sigma").textContent = state.sigma.toFixed(2);
}

function draw() {
  drawPlane();
  drawDigit();
}
const drawSoon = onceAFrame(draw);
onThemeChange(drawSoon);
find("new").addEventListener("click", newNoise);

setStart(start);
newNoise();
draw();

/** What the network of digits answers; for the tests. */
const ask = (input) => new Promise((answer) => {
  const hear = ({ data: { output } }) => { if (output) { worker.removeEventListener("message", hear); answer(Array.from(output)); } };
  worker.addEventListener("message", hear);
  worker.postMessage({ input });
});
ready({
  run: (kind, input) => (kind === "ring" ? Array.from(denoiser(Float32Array.from(input)).data) : ask(Float32Array.from(input))),
  path: () => path.map(({ x }) => Array.from(x)),
  digit: () => ({ noise: Array.from(noise), label, scale: scale.value, images: coming.map(({ x }) => Array.from(x)) }),
  step: (k) => { step.value = k % (STEPS + 1); const begin = performance.now(); draw(); return performance.now() - begin; },
});
requestAnimationFrame(() => setTimeout(() => { sampleRing(); whenSeen(document.body, startWorker); }));
