// One's own photograph, stylized in the page by a mixture of two paintings.
import { choice, el, fail, pixelsOf, ready, slider, whenSeen } from "../shared/demo.js";

const find = (id) => document.getElementById(id);
const { styles, photographs } = await fetch("styles.json").then((answer) => answer.json()).catch(fail);
const MULTIPLE = 4; // sides are halved twice
const STEPS = 20; // of the mixture
let photograph = null, worker = null, number = 0;
const waiting = new Map();
const chosen = [0, 3];

const words = (name) => name[0].toUpperCase() + name.slice(1).replace("_", " ");
const mixing = slider({
  label: "Mixture", min: 0, max: 1, step: 1 / STEPS, value: 0, change: () => show(),
  meaning: "Shares of the two paintings: 0 is the first alone, 1 the second. Only gains and shifts of the filters are mixed.",
});
const strength = slider({
  label: "Strength", min: 0, max: 1, step: 0.05, value: 1, change: () => show(),
  meaning: "A plain cross-fade with the photograph, after the network.",
});
const size = choice({
  label: "Longest side", options: { 128: "128 pixels", 192: "192 pixels", 256: "256 pixels", 384: "384 pixels" }, value: "192",
  meaning: "The network works at any size. Time grows with the number of pixels.", change: () => prepare(),
});
find("controls").append(mixing.root, strength.root, size.root);

const choosers = ["First painting", "Second painting"].map((title, which) => {
  const buttons = styles.map((name, i) => el("button", {
    type: "button", class: "thumbnail", "aria-pressed": i === chosen[which], "aria-label": words(name), title: words(name),
    onclick: () => { if (chosen[which] === i) return; chosen[which] = i; buttons.forEach((one, k) => one.setAttribute("aria-pressed", k === i)); renew(); },
  }, el("img", { src: `${name}.jpg`, alt: "", width: 96, height: 96, loading: "lazy" })));
  return el("fieldset", {}, el("legend", {}, title), el("div", { class: "paintings" }, ...buttons));
});
find("styles").append(...choosers);

/** An image element or bitmap, scaled so that its longest side is `longest`; `pixels` are in [0, 1]. */
function scaled(source, longest) {
  const [w, h] = [source.naturalWidth ?? source.width, source.naturalHeight ?? source.height];
  const side = (length) => Math.max(16, MULTIPLE * Math.round((length * longest) / Math.max(w, h) / MULTIPLE));
  const canvas = find("photo");
  [canvas.width, canvas.height] = [side(w), side(h)];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff"; // behind what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  const image = context.getImageData(0, 0, canvas.width, canvas.height), area = canvas.width * canvas.height;
  const pixels = new Float32Array(3 * area);
  for (let i = 0; i < area; i++) for (let c = 0; c < 3; c++) pixels[c * area + i] = image.data[4 * i + c] / 255;
  return { pixels, width: canvas.width, height: canvas.height, image };
}

let given = null, mixtures = [], working = false;
function prepare() {
  if (!photograph) return;
  given = scaled(photograph, Number(size.value));
  renew();
}

/** Forget the mixtures of what was chosen before; one that is still to come goes the same way. */
function renew() {
  mixtures = new Array(STEPS + 1).fill(null);
  delete find("styled").dataset.complete;
  count();
  work();
}

const position = () => Math.round(STEPS * mixing.value);
function shares(at) {
  const row = new Float32Array(styles.length);
  row[chosen[0]] += 1 - at / STEPS;
  row[chosen[1]] += at / STEPS;
  return row;
}

/** What the network makes of pixels; it takes one image after the other. */
const ask = (pixels, width, height, weights) => new Promise((done) => {
  waiting.set(++number, done);
  worker.postMessage({ pixels, width, height, shares: weights, number });
});

const count = () => { find("ready").textContent = `${mixtures.filter(Boolean).length} of ${mixtures.length} mixtures ready`; };

/** The mixture that is not yet computed and nearest to the slider: first of all its own. */
function nearest() {
  const here = position(), missing = [...mixtures.keys()].filter((at) => !mixtures[at]);
  return missing.sort((a, b) => Math.abs(a - here) - Math.abs(b - here))[0];
}

/** A pass is too long for a frame, so all mixtures are computed ahead and kept: 12 MB at most. */
async function work() {
  if (!given || !worker || working) return;
  working = true;
  for (let at; (at = nearest()) !== undefined;) {
    const asked = mixtures, { pixels, width, height } = given;
    const { styled, milliseconds } = await ask(pixels, width, height, shares(at));
    if (asked !== mixtures) continue; // something else was chosen meanwhile
    const ahead = at !== position();
    mixtures[at] = { image: pixelsOf({ data: styled, shape: [3, height, width] }), milliseconds, ahead };
    count();
    if (!ahead) show();
  }
  working = false;
  find("styled").dataset.complete = "yes";
}

function hear({ data }) {
  if (data.error) { find("said").textContent = `The network cannot run here: ${data.error}`; return; }
  waiting.get(data.number)(data);
  waiting.delete(data.number);
}

function show() {
  const mixture = mixtures[position()];
  if (!mixture) return; // shown once it is computed, before all others
  const canvas = find("styled"), { image: { width, height, data }, milliseconds, ahead } = mixture;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const image = new ImageData(width, height), t = strength.value, photo = given.image.data;
  for (let i = 0; i < data.length; i++) image.data[i] = photo[i] + t * (data[i] - photo[i]);
  canvas.getContext("2d").putImageData(image, 0, 0);
  canvas.dataset.shown = position();
  find("said").textContent = `${ahead ? "Computed ahead" : "Stylized"} in ${Math.round(milliseconds)} ms, ${width} × ${height} pixels.`;
}

async function open(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  photograph = image;
  prepare();
}

find("examples").append(...Object.entries(photographs).map(([name, about]) => el("button", { type: "button", title: about, onclick: () => open(`${name}.jpg`) }, words(name))));
find("file").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  if (!file) return;
  try {
    const bitmap = await createImageBitmap(file);
    if (Math.max(bitmap.width, bitmap.height) / Math.min(bitmap.width, bitmap.height) > 8) throw new Error("too long");
    // A large photograph is scaled once, and let go.
    const shrink = Math.min(1, 1024 / Math.max(bitmap.width, bitmap.height)), canvas = el("canvas", { width: Math.round(bitmap.width * shrink), height: Math.round(bitmap.height * shrink) });
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    photograph = canvas;
    prepare();
  } catch {
    find("said").textContent = `${file.name} cannot be read as an image here: choose a PNG, JPEG or WebP file that is at most eight times as long as wide.`;
  }
});

await open(`${Object.keys(photographs)[0]}.jpg`).catch(fail);
whenSeen(find("styled"), () => {
  find("said").textContent = "Loading the network …";
  worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  worker.onmessage = hear;
  worker.onerror = (event) => hear({ data: { error: event.message ?? "its file could not be loaded" } });
  work();
});
/** Milliseconds that a slider's move to one of its positions takes until the pixels are on the canvas. */
function timed(control, k) {
  control.value = (k % (STEPS + 1)) / STEPS;
  const start = performance.now();
  show();
  return performance.now() - start;
}
ready({
  given: () => ({ pixels: Array.from(given.pixels), width: given.width, height: given.height }),
  run: async (pixels, width, height, weights) => Array.from((await ask(Float32Array.from(pixels), width, height, Float32Array.from(weights))).styled),
  step: (k) => timed(mixing, k),
  fade: (k) => timed(strength, k),
});
