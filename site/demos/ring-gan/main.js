// Two GANs side by side: their data, their samples, the surface D(x) and their losses.
import { choice, colour, el, onThemeChange, onceAFrame, ready, slider, tick } from "../shared/demo.js";
import { draw as drawPoints, METHODS, mixture } from "./gan.js";
import { randomNumbers } from "../shared/random.js";

const REACH = 2.4, PIXELS = 480, BRUSH = 0.06, LOSSES = { height: 110, top: 2.2 };
const find = (id) => document.getElementById(id);
const RATES = [0.3, 0.5, 1, 2, 3];

let data = "ring", drawn = [], drawing = false, training = false;

/** The data's points, and their mixture where they have one. */
function makeData() {
  const random = randomNumbers(seed.value);
  if (data !== "drawn") {
    const modes = mixture(data);
    return { mixture: modes, points: drawPoints(modes, 12800, random) };
  }
  const points = new Float32Array(2 * Math.max(drawn.length, 1) * 4);
  for (let n = 0; n < points.length / 2; n++) {
    const [x, y] = drawn[n % Math.max(drawn.length, 1)] ?? [0, 0];
    points[2 * n] = x + BRUSH * random.normal();
    points[2 * n + 1] = y + BRUSH * random.normal();
  }
  return { mixture: null, points };
}

/** One half of the page. */
class Run {
  constructor(side, chosen) {
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data: told }) => this.hear(told);
    this.worker.onerror = (event) => { this.says.textContent = `The training cannot run here: ${event.message}`; };
    this.method = choice({
      label: side, value: chosen, change: () => restart(),
      options: Object.fromEntries(Object.entries(METHODS).map(([key, { name }]) => [key, name])),
    });
    this.map = el("canvas", { class: "map", width: PIXELS, height: PIXELS, role: "img", "aria-label": `${side}: data, generated samples and D(x)` });
    this.chart = el("canvas", { class: "losses", role: "img", "aria-label": `${side}: losses of D and G` });
    this.facts = Object.fromEntries(["updates", "modes", "quality"].map((name) => [name, el("dd", {}, "0")]));
    const title = { updates: "updates", modes: "modes", quality: "quality" };
    this.says = el("p", { class: "meaning", role: "status" });
    this.root = el("section", { class: "run", "aria-label": side }, this.method.root, this.map,
      el("dl", { class: "facts" }, ...Object.entries(this.facts).map(([name, dd]) => el("div", {}, el("dt", {}, title[name]), dd))),
      this.chart, this.says);
    for (const event of ["pointerdown", "pointermove"]) this.map.addEventListener(event, (e) => brush(e, this.map));
    this.drawSoon = onceAFrame(() => this.draw());
  }

  start(points, modes) {
    Object.assign(this, { points, modes, losses: [[], []], shown: null });
    this.says.textContent = "";
    const base = METHODS[this.method.value];
    // A penalty is a function, which cannot be sent: the worker finds it by its name.
    const method = { key: this.method.value, lr: base.lr * RATES[rate.value], constant: constant.value };
    this.worker.postMessage({ start: true, seed: seed.value, method, points, mixture: modes, reach: REACH, averaged: averaged.value });
  }

  tell(message) { this.worker.postMessage(message); }

  hear(told) {
    if (told.done) {
      this.says.textContent = told.finite ? "All planned updates are made." : "The losses are no longer finite: choose a lower learning rate and restart.";
      if ([...runs].every((run) => run.says.textContent)) setTraining(false);
      return;
    }
    this.shown = told;
    told.losses.forEach((values, which) => { this.losses[which].length = told.sent; this.losses[which].push(...values); });
    this.drawSoon();
  }

  draw() {
    const context = this.map.getContext("2d"), told = this.shown;
    const [sx, sy] = [(x) => PIXELS * (0.5 + x / (2 * REACH)), (y) => PIXELS * (0.5 - y / (2 * REACH))];
    context.fillStyle = colour("page");
    context.fillRect(0, 0, PIXELS, PIXELS);
    if (told) this.drawSurface(context, told);
    const dots = (points, count, style, size) => {
      context.fillStyle = style;
      for (let n = 0; n < count; n++) {
        context.beginPath();
        context.arc(sx(points[2 * n]), sy(points[2 * n + 1]), size, 0, 7);
        context.fill();
      }
    };
    if (this.points) dots(this.points, Math.min(800, this.points.length / 2), colour("data"), 2.2);
    if (this.modes) {
      context.strokeStyle = colour("data");
      context.lineWidth = 2;
      for (const [x, y] of this.modes.means) {
        context.beginPath();
        context.arc(sx(x), sy(y), 11, 0, 7);
        context.stroke();
      }
    }
    if (!told) return;
    context.globalAlpha = 0.75;
    dots(told.samples, told.samples.length / 2, colour("fake"), 2.6);
    context.globalAlpha = 1;
    const { modes, quality } = told.measures ?? {};
    this.facts.updates.textContent = told.step.toLocaleString("en");
    this.facts.modes.textContent = told.measures ? `${modes} of ${this.modes.means.length}` : "–";
    this.facts.quality.textContent = told.measures ? `${(100 * quality).toFixed(1)} %` : "–";
    this.drawLosses();
    this.map.dataset.step = told.step;
  }

  drawSurface(context, { surface, side }) {
    const small = (this.small ??= el("canvas", { width: side, height: side })), to = small.getContext("2d");
    const image = to.createImageData(side, side);
    const [above, below] = ["real-side", "fake-side"].map((name) => colour(name).match(/\w\w/g).map((part) => parseInt(part, 16)));
    const furthest = surface.reduce((most, value) => Math.max(most, Math.abs(value - 0.5)), 0.005);
    for (let k = 0; k < surface.length; k++) {
      const value = surface[k], tint = value > 0.5 ? above : below;
      for (let c = 0; c < 3; c++) image.data[4 * k + c] = tint[c];
      image.data[4 * k + 3] = (0.65 * 255 * Math.abs(value - 0.5)) / furthest;
    }
    to.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(small, 0, 0, PIXELS, PIXELS);
  }

  drawLosses() {
    const { height, top } = LOSSES, width = this.chart.clientWidth || 300, left = 22, bottom = 20;
    const context = this.chart.getContext("2d"), fine = devicePixelRatio || 1; // as sharp as the screen
    [this.chart.width, this.chart.height] = [width * fine, height * fine];
    context.scale(fine, fine);
    const steps = Math.max(this.shown.planned, 1);
    const px = (step) => left + ((width - left - 6) * step) / steps, py = (loss) => 6 + (height - bottom - 6) * (1 - Math.min(loss, top) / top);
    context.font = "13px system-ui, sans-serif";
    context.fillStyle = colour("quiet");
    context.strokeStyle = colour("line");
    context.lineWidth = 1;
    for (const tickAt of [0, 1, 2]) {
      context.fillText(tickAt, left - 16, py(tickAt) + 5);
      context.beginPath(); context.moveTo(left, py(tickAt)); context.lineTo(width - 6, py(tickAt)); context.stroke();
    }
    context.textAlign = "right";
    if (width > 300) context.fillText(`${steps.toLocaleString("en")} updates`, width - 6, height - 4);
    context.textAlign = "left";
    ["accent", "warm"].forEach((name, which) => {
      const losses = this.losses[which], every = Math.max(1, Math.ceil(losses.length / 240));
      context.strokeStyle = context.fillStyle = colour(name);
      context.lineWidth = 2;
      context.beginPath();
      for (let k = 0; k < losses.length; k += every) {
        const part = losses.slice(k, k + every), mean = part.reduce((a, b) => a + b) / part.length;
        context.lineTo(px(k), py(mean));
      }
      context.stroke();
      context.fillText(["loss D", "loss G"][which], left + 4 + 76 * which, height - 4);
    });
  }
}

const seed = slider({
  label: "Seed", min: 0, max: 9, step: 1, value: 0, show: String, change: () => restart(),
  meaning: "Which first weights and which random numbers. Some seeds lose modes, others do not.",
});
const rate = slider({
  label: "Learning rate", min: 0, max: RATES.length - 1, step: 1, value: 2, show: (k) => `× ${RATES[k]}`, change: () => restart(),
  meaning: "Of Adam, as a multiple of the method's tuned rate in lesson 04b.",
});
const averaged = tick({
  label: "Averaged weights", change: (value) => runs.forEach((run) => run.tell({ averaged: value })),
  meaning: "Samples of the generator's exponential moving average instead of its last weights.",
});
const constant = tick({
  label: "Constant learning rate", change: () => restart(),
  meaning: "Otherwise it falls to zero along a cosine, and the samples come to rest.",
});
const source = choice({
  label: "Data", value: "ring", options: { ring: "a ring of eight Gaussians", grid: "a grid of twenty-five", drawn: "drawn by you" },
  meaning: "What the generator is to learn. With “Draw the data”, paint it on either map.",
  change: (value) => { data = value; if (value === "drawn" && !drawn.length) setDrawing(true); else restart(); },
});
find("controls").append(...[source, seed, rate, averaged, constant].map((one) => one.root));

const runs = [new Run("Left", "plain"), new Run("Right", "finalist")];
find("runs").append(...runs.map((run) => run.root));

function restart() {
  setTraining(false);
  const { points, mixture: modes } = makeData();
  runs.forEach((run) => run.start(points, modes));
}

function setTraining(on) {
  training = on;
  find("train").textContent = on ? "Pause" : "Train";
  runs.forEach((run) => run.tell({ running: on }));
}

function setDrawing(on) {
  drawing = on;
  find("draw").setAttribute("aria-pressed", on);
  find("draw").textContent = on ? "Learn what is drawn" : "Draw the data";
  runs.forEach((run) => run.map.classList.toggle("drawing", on));
  if (on) {
    setTraining(false);
    drawn = [];
    runs.forEach((run) => { Object.assign(run, { points: new Float32Array(0), modes: null, shown: null }); run.draw(); run.says.textContent = "Paint where the data should be."; });
  }
}

function brush(event, map) {
  if (!drawing || (event.type === "pointermove" && event.buttons === 0)) return;
  event.preventDefault();
  const box = map.getBoundingClientRect();
  const at = [REACH * (2 * ((event.clientX - box.left) / box.width) - 1), REACH * (1 - 2 * ((event.clientY - box.top) / box.height))];
  for (let n = 0; n < 8; n++) drawn.push(at);
  [data, source.value] = ["drawn", "drawn"];
  const { points } = makeData();
  runs.forEach((run) => { run.points = points; run.drawSoon(); });
}

find("train").addEventListener("click", () => { if (drawing) finishDrawing(); setTraining(!training); });
find("some").addEventListener("click", () => { if (drawing) finishDrawing(); setTraining(false); runs.forEach((run) => run.tell({ steps: 10 })); });
find("restart").addEventListener("click", () => { if (drawing) finishDrawing(); else restart(); });
find("draw").addEventListener("click", () => { if (drawing) { finishDrawing(); setTraining(true); } else setDrawing(true); });
function finishDrawing() {
  setDrawing(false);
  if (!drawn.length) [data, source.value] = ["ring", "ring"];
  restart();
}
onThemeChange(() => runs.forEach((run) => run.draw()));
addEventListener("pagehide", () => setTraining(false));

restart();
runs.forEach((run) => run.draw());
ready({ runs, facts: () => runs.map((run) => ({ step: run.shown?.step ?? 0, ...run.shown?.measures })) });
