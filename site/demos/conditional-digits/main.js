// Digits of a conditional GAN: a class y and a latent vector z.
import { button, fail, gradually, imageCanvas, onceAFrame, paint, ready, slider } from "../shared/demo.js";
import { load, network } from "../shared/nn.js";
import { randomNumbers } from "../shared/random.js";

const find = (id) => document.getElementById(id);
const generate = network(await load("generator.safetensors").catch(fail));
const LATENT = 16, CLASSES = 10;

let digit = 3, seed = 1, z, others, away;
const oneHot = (label) => Array.from({ length: CLASSES }, (_, i) => Number(i === label));
const image = (latent, y) => generate(Float32Array.of(...latent, ...y));

/** y between two classes: a mixture, which training never had. */
const mixed = () => {
  const t = mixing.value, next = (digit + 1) % CLASSES;
  return oneHot(digit).map((value, i) => (1 - t) * value + t * Number(i === next));
};
const moved = () => z.map((value, i) => value + style.value * away[i]);

const classes = Array.from({ length: CLASSES }, (_, label) => button(String(label), () => {
  digit = label;
  classes.forEach((one, i) => one.setAttribute("aria-pressed", i === label));
  drawSoon();
}, { "aria-pressed": label === digit, "aria-label": `Class ${label}` }));
find("classes").append(...classes);
const style = slider({
  label: "Style", min: -3, max: 3, step: 0.05, value: 0, change: () => drawSoon(),
  meaning: "Moves z along a random line of its 16 dimensions. Slant and stroke change, the class stays.",
});
const mixing = slider({
  label: "Towards the next class", min: 0, max: 1, step: 0.02, value: 0, change: () => drawSoon(),
  meaning: "y is mixed with the next class. Training had whole classes only, so what lies between is the network's invention.",
});
find("controls").append(style.root, mixing.root);

const rowOf = (id) => {
  const canvases = Array.from({ length: CLASSES }, () => imageCanvas("", 32));
  find(id).append(...canvases);
  return canvases;
};
const ten = rowOf("ten"), styles = rowOf("styles");

function newStyle() {
  const random = randomNumbers(seed++), draw16 = () => Array.from({ length: LATENT }, random.normal);
  [z, away] = [draw16(), draw16()];
  const length = Math.hypot(...away);
  away = away.map((value) => value / length);
  others = Array.from({ length: CLASSES }, draw16);
  style.value = 0;
  draw();
}

const drawRows = gradually();
function draw() {
  const here = moved(), y = mixed();
  paint(find("digit"), image(here, y));
  drawRows([
    ...ten.map((canvas, label) => () => paint(canvas, image(here, oneHot(label)))),
    ...styles.map((canvas, i) => () => paint(canvas, image(others[i], y))),
  ]);
}
const drawSoon = onceAFrame(draw);
find("new").addEventListener("click", newStyle);

newStyle();
ready({
  run: (input) => Array.from(generate(Float32Array.from(input)).data),
  step: (k) => { style.value = Math.sin(k); const start = performance.now(); draw(); return performance.now() - start; },
});
