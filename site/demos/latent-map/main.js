// The plane of a VAE with two latent dimensions: drag a point, and see what is decoded there.
import { choice, draggable, el, fail, gradually, imageCanvas, onceAFrame, paint, pixelsOf, ready, slider } from "../shared/demo.js";
import { load, network } from "../shared/nn.js";

const REACH = 3, TILES = 20, STEPS = 9;
const find = (id) => document.getElementById(id);

const decode = network(await load("decoder.safetensors").catch(fail));
const at = (x, y) => decode(Float32Array.of(x, y));

let point = [1.2, -0.4], pinned = null, layout = "steps";

// The sheet may show equal steps of z, or points between which the prior has equal probability.
// So the plane has coordinates u in (0, 1), from which z follows, and the other way round.
const zOf = (u) => (layout === "steps" ? REACH * (2 * u - 1) : normalQuantile(u));
const uOf = (z) => (layout === "steps" ? (z / REACH + 1) / 2 : normalShare(z));
const clamp = (z) => Math.max(-REACH, Math.min(REACH, z));

/** Φ(z), by Zelen and Severo (1964), to within 7.5e-8. */
function normalShare(z) {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI) *
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z > 0 ? 1 - tail : tail;
}

/** The z with Φ(z) = u, by bisection. */
function normalQuantile(u) {
  let [low, high] = [-REACH, REACH];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < u) low = middle; else high = middle;
  }
  return (low + high) / 2;
}

const plane = find("plane"), map = find("map"), context = map.getContext("2d");
const handle = el("button", { type: "button", class: "handle", "aria-describedby": "caption" });
const pin = el("span", { class: "handle pinned", hidden: true });
plane.append(pin, handle);

const sliders = ["z₁", "z₂"].map((label, i) => slider({
  label, min: -REACH, max: REACH, step: 0.02, value: point[i],
  meaning: ["First latent variable: to the left or right.", "Second latent variable: down or up."][i],
  change: (value) => { point[i] = value; drawSoon(); },
}));
find("sliders").append(...sliders.map((one) => one.root));
const sheet = choice({
  label: "The sheet shows", value: layout,
  options: { steps: "equal steps of z, from −3 to 3", probability: "equal probability of the prior" },
  meaning: "With equal probability, as many samples z ~ N(0, I) fall into each square: what sampling gives.",
  change: (value) => { layout = value; drawSheet(); draw(); },
});
find("more").append(sheet.root);

const strip = Array.from({ length: STEPS }, () => imageCanvas(""));
find("strip").append(...strip);

function place(mark, [x, y]) {
  mark.style.left = `${100 * uOf(x)}%`;
  mark.style.top = `${100 * (1 - uOf(y))}%`;
}

const drawStrip = gradually();
function draw() {
  paint(find("digit"), at(...point));
  place(handle, point);
  handle.setAttribute("aria-label", `Point in the latent plane, z₁ = ${point[0].toFixed(2)}, z₂ = ${point[1].toFixed(2)}; move it with the arrow keys`);
  sliders.forEach((one, i) => { if (document.activeElement !== one.input) one.value = point[i]; });
  const from = pinned ?? [0, 0];
  const to = [...point];
  drawStrip(strip.map((canvas, i) => () => {
    const t = i / (STEPS - 1);
    paint(canvas, at(...from.map((start, axis) => start + t * (to[axis] - start))));
  }));
}
const drawSoon = onceAFrame(draw);

/** The sheet, a row at a time, so that the page answers meanwhile. */
let drawing = 0;
function drawSheet() {
  const mine = ++drawing, tile = document.createElement("canvas"), side = map.width / TILES;
  tile.width = tile.height = 28;
  pin.hidden = !pinned;
  if (pinned) place(pin, pinned);
  let row = 0;
  const next = () => {
    if (mine !== drawing) return;
    for (let column = 0; column < TILES; column++) {
      const image = at(zOf((column + 0.5) / TILES), zOf(1 - (row + 0.5) / TILES));
      tile.getContext("2d").putImageData(pixelsOf(image), 0, 0);
      context.drawImage(tile, column * side, row * side, side, side);
    }
    if (++row < TILES) setTimeout(next);
    else map.dataset.complete = layout;
  };
  delete map.dataset.complete;
  next();
}

const inside = (share) => Math.max(0.001, Math.min(0.999, share));
draggable(plane, handle, {
  to: (shares) => { point = shares.map((share) => clamp(zOf(inside(share)))); drawSoon(); },
  by: (step, { shiftKey }) => { point = point.map((value, i) => clamp(value + (shiftKey ? 0.3 : 0.06) * step[i])); drawSoon(); },
});
find("pin").addEventListener("click", () => {
  pinned = [...point];
  pin.hidden = false;
  place(pin, pinned);
  draw();
});

draw();
ready({
  run: (z) => Array.from(at(...z).data),
  step: (k) => { point = [2 * Math.sin(k), 2 * Math.cos(k)]; const start = performance.now(); draw(); return performance.now() - start; },
});
requestAnimationFrame(() => setTimeout(drawSheet));
