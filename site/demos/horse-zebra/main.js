// A CycleGAN in both directions on drawn animals, with what noise does to the way back.
import { el, fail, imageCanvas, onceAFrame, paint, ready, slider } from "../shared/demo.js";
import { load, network } from "../shared/nn.js";
import { randomNumbers } from "../shared/random.js";

const find = (id) => document.getElementById(id);
const [toZebra, toHorse, animals] = await Promise.all(
  ["to_zebra", "to_horse", "animals"].map((name) => load(`${name}.safetensors`)),
).catch(fail);
const translate = { zebra: network(toZebra), horse: network(toHorse) };
const SHAPE = [3, 32, 32], SIZE = 3 * 32 * 32, OTHER = { horse: "zebra", zebra: "horse" };
const COUNT = animals.tensors.horse.shape[0];
const imageOf = (kind, i) => Float32Array.from(animals.tensors[kind].data.subarray(i * SIZE, (i + 1) * SIZE), (v) => v / 255);
const unit = Float32Array.from({ length: SIZE }, randomNumbers(0).normal);

let kind = "horse", chosen = 0;
const noise = slider({
  label: "Noise on the translation before the way back", min: 0, max: 0.1, step: 0.005, value: 0, change: () => drawSoon(), show: (v) => v.toFixed(3),
  meaning: "Standard deviation. If the way back needs details that are hidden in the translation, hardly visible noise destroys them.",
});
const hide = slider({
  label: "Brightness of the image", min: 0.5, max: 1.5, step: 0.05, value: 1, change: () => drawSoon(), show: (v) => `× ${v.toFixed(2)}`,
  meaning: "Away from 1 the image is unlike those of the training. Does the translation still follow?",
});
find("controls").append(noise.root, hide.root);

const choices = Array.from({ length: COUNT }, (_, i) => el("button", {
  type: "button", class: "thumbnail", "aria-label": `Image ${i + 1}`, "aria-pressed": i === 0,
  onclick: () => { chosen = i; choices.forEach((one, k) => one.setAttribute("aria-pressed", k === i)); drawSoon(); },
}, imageCanvas("", 32)));
find("images").append(...choices);

function setKind(which) {
  kind = which;
  find("to-zebra").setAttribute("aria-pressed", which === "horse");
  find("to-horse").setAttribute("aria-pressed", which === "zebra");
  choices.forEach((one, i) => paint(one.firstChild, { data: imageOf(kind, i), shape: SHAPE }));
  draw();
}
find("to-zebra").addEventListener("click", () => setKind("horse"));
find("to-horse").addEventListener("click", () => setKind("zebra"));

const distance = (a, b) => a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
const limited = (v) => Math.max(0, Math.min(1, v));

function draw() {
  const given = imageOf(kind, chosen).map((v) => limited(v * hide.value)), truth = imageOf(OTHER[kind], chosen);
  const translated = translate[OTHER[kind]](given);
  const disturbed = translated.data.map((v, i) => limited(v + noise.value * unit[i]));
  const back = translate[kind](disturbed);
  paint(find("given"), { data: given, shape: SHAPE });
  paint(find("translated"), { data: disturbed, shape: SHAPE });
  paint(find("back"), back);
  paint(find("truth"), { data: truth, shape: SHAPE });
  find("errors").textContent = `Mean absolute difference of F(G(x)) from x: ${distance(back.data, given).toFixed(3)}; of G(x) from the ground truth: ${distance(translated.data, truth).toFixed(3)}.`;
}
const drawSoon = onceAFrame(draw);

setKind("horse");
ready({
  run: (input, to) => Array.from(translate[to](Float32Array.from(input)).data),
  images: (which) => Array.from(animals.tensors[which].data),
  step: (k) => { noise.value = 0.05 + 0.05 * Math.sin(k); const start = performance.now(); draw(); return performance.now() - start; },
});
