// A closed path through the latent space of a DCGAN.
import { el, fail, gradually, imageCanvas, onceAFrame, paint, ready, slider } from "../shared/demo.js";
import { load, network } from "../shared/nn.js";
import { randomNumbers } from "../shared/random.js";

const find = (id) => document.getElementById(id);
const generate = network(await load("generator.safetensors").catch(fail));
const LATENT = 32, STOPS = 5, BETWEEN = 4;

let seed = 5, stops = [], playing = false;

/** Between two z on the sphere: in high dimensions the straight line leads through short z. */
function between(from, to, t) {
  const lengths = [from, to].map((z) => Math.hypot(...z));
  const cosine = from.reduce((sum, value, i) => sum + value * to[i], 0) / (lengths[0] * lengths[1]);
  const angle = Math.acos(Math.max(-1, Math.min(1, cosine)));
  const [a, b] = [Math.sin((1 - t) * angle), Math.sin(t * angle)].map((value) => value / Math.sin(angle));
  return from.map((value, i) => a * value + b * to[i]);
}

const zAt = (time) => {
  const stop = Math.floor(time) % STOPS;
  const z = between(stops[stop], stops[(stop + 1) % STOPS], time - Math.floor(time));
  return z.map((value) => spread.value * value);
};

const time = slider({
  label: "Position on the path", min: 0, max: STOPS, step: 0.01, value: 0, change: () => drawSoon(),
  meaning: "At whole numbers the z is a random one; between them it moves on the sphere from one to the next, and at the end back to the first.",
});
const spread = slider({
  label: "Length of z", min: 0, max: 1.6, step: 0.05, value: 1, show: (v) => `× ${v.toFixed(2)}`, change: () => { drawStrip(); drawSoon(); },
  meaning: "Training drew z ~ N(0, I). Shorter z give more typical faces, and 0 one face alone; longer z leave what was trained.",
});
const speed = slider({
  label: "Speed", min: 0.1, max: 1, step: 0.1, value: 0.3, show: (v) => `${v.toFixed(1)} stops a second`, meaning: "Of the walk while it plays.",
});
find("controls").append(time.root, spread.root, speed.root);

// One row for each stop on a narrow page would be long: the path goes in rows of small images.
const path = Array.from({ length: STOPS * BETWEEN }, (_, i) => {
  const canvas = imageCanvas("", 32), at = i / BETWEEN;
  const go = () => { time.value = at; drawSoon(); };
  return el("button", { type: "button", class: `thumbnail${i % BETWEEN ? "" : " stop"}`, onclick: go, "aria-label": `Go to position ${at}` }, canvas);
});
find("strip").append(...path);

const slowly = gradually();
const drawStrip = () => slowly(path.map((one, i) => () => paint(one.firstChild, generate(zAt(i / BETWEEN)))));

function draw() { paint(find("face"), generate(zAt(time.value % STOPS))); }
const drawSoon = onceAFrame(draw);

function newPath() {
  const random = randomNumbers(seed++);
  stops = Array.from({ length: STOPS }, () => Float32Array.from({ length: LATENT }, random.normal));
  draw();
  drawStrip();
}

let before;
function frame(now) {
  if (!playing) return;
  time.value = (time.value + Math.min(0.1, (now - before) / 1000) * speed.value + 0.0049) % STOPS;
  before = now;
  draw();
  requestAnimationFrame(frame);
}
find("play").addEventListener("click", () => {
  playing = !playing;
  find("play").textContent = playing ? "Pause" : "Play";
  before = performance.now();
  if (playing) requestAnimationFrame(frame);
});
find("new").addEventListener("click", newPath);

newPath();
ready({
  run: (z) => Array.from(generate(Float32Array.from(z)).data),
  step: (k) => { time.value = (0.37 * k) % STOPS; const start = performance.now(); draw(); return performance.now() - start; },
});
