// One's own photograph, stylized in the page by a mixture of two paintings.
import { choice, el, fail, ready, slider, whenSeen } from "../shared/demo.js";

const find = (id) => document.getElementById(id);
const { styles, photographs } = await fetch("styles.json").then((answer) => answer.json()).catch(fail);
const MULTIPLE = 4; // sides are halved twice
let photograph = null, worker = null, busy = false, wanted = false, number = 0, waiting = new Map();
const chosen = [0, 3];

const words = (name) => name[0].toUpperCase() + name.slice(1).replace("_", " ");
const mixing = slider({
  label: "Mixture", min: 0, max: 1, step: 0.05, value: 0, change: () => style(),
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
    onclick: () => { chosen[which] = i; buttons.forEach((one, k) => one.setAttribute("aria-pressed", k === i)); style(); },
  }, el("img", { src: `${name}.jpg`, alt: "", width: 96, height: 96, loading: "lazy" })));
  return el("fieldset", {}, el("legend", {}, title), el("div", { class: "paintings" }, ...buttons));
});
find("styles").append(...choosers);

/** An image element or bitmap, scaled so that its longest side is `longest`, as pixels in [0, 1]. */
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
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height), area = canvas.width * canvas.height;
  const pixels = new Float32Array(3 * area);
  for (let i = 0; i < area; i++) for (let c = 0; c < 3; c++) pixels[c * area + i] = data[4 * i + c] / 255;
  return { pixels, width: canvas.width, height: canvas.height };
}

let given = null, result = null;
function prepare() {
  if (!photograph) return;
  given = scaled(photograph, Number(size.value));
  result = null;
  style();
}

function shares() {
  const row = new Float32Array(styles.length);
  row[chosen[0]] += 1 - mixing.value;
  row[chosen[1]] += mixing.value;
  return row;
}

/** Ask the network for the latest mixture; while it works, only the last wish is kept. */
function style() {
  if (!given || !worker) return;
  if (busy) { wanted = true; return; }
  busy = true;
  worker.postMessage({ ...given, shares: shares(), number: ++number });
}

function hear({ data }) {
  if (data.error) { find("said").textContent = `The network cannot run here: ${data.error}`; return; }
  if (data.ready) { style(); return; }
  if (waiting.has(data.number)) { waiting.get(data.number)(data); waiting.delete(data.number); return; }
  busy = false;
  if (data.width === given.width && data.height === given.height) { result = data; show(); }
  if (wanted) { wanted = false; style(); }
}

function show() {
  if (!result) return;
  const canvas = find("styled"), { width, height, styled } = result, area = width * height;
  [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height), t = strength.value;
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = 255 * (t * styled[c * area + i] + (1 - t) * given.pixels[c * area + i]);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  canvas.dataset.shown = result.number;
  find("said").textContent = `stylized in ${Math.round(result.milliseconds)} ms, ${width} × ${height} pixels`;
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
  style();
});
ready({
  given: () => ({ ...given, pixels: Array.from(given.pixels) }),
  run: (pixels, width, height, weights) => new Promise((done) => {
    waiting.set(++number, ({ styled }) => done(Array.from(styled)));
    worker.postMessage({ pixels: Float32Array.from(pixels), width, height, shares: Float32Array.from(weights), number });
  }),
});
