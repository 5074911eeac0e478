// Faces of a VAE, moved along the directions of five attributes.
import { el, fail, gradually, imageCanvas, onceAFrame, paint, ready, slider } from "../shared/demo.js";
import { load, network } from "../shared/nn.js";

const find = (id) => document.getElementById(id);
const file = await load("faces.safetensors").catch(fail);
const decode = network(file);
const { codes, directions } = file.tensors, { attributes, limit } = JSON.parse(file.about.faces);
const WIDTH = codes.shape[1], STEPS = 7, MOST = 1.5;
const row = ({ data }, i) => data.subarray(i * WIDTH, (i + 1) * WIDTH);

// What lesson 03 measured of one step along each direction, in words.
const MEANING = {
  smile: "From frowning to smiling. Alone: other attributes change little.",
  glasses: "Puts glasses on. Backwards it is less clean: a smile comes with it.",
  skin_tone: "From light to dark. Also removes the smile and adds glasses.",
  head_turn: "Turns the head. Most codes leave the region of the faces; glasses appear.",
  age: "From child to old. Most codes leave the region of the faces; glasses vanish.",
};

let person = 0, last = "smile";
const sliders = attributes.map((name) => slider({
  label: name[0].toUpperCase() + name.slice(1).replace("_", " "), min: -MOST, max: MOST, step: 0.05, value: 0, meaning: MEANING[name],
  show: (value) => `${value > 0 ? "+" : ""}${value.toFixed(2)}`, change: () => { last = name; drawSoon(); },
}));
find("sliders").append(...sliders.map((one) => one.root));

function codeOf(amounts) {
  const z = Float32Array.from(row(codes, person));
  amounts.forEach((amount, i) => row(directions, i).forEach((value, k) => { z[k] += amount * value; }));
  return z;
}

const strip = Array.from({ length: STEPS }, () => imageCanvas("", 32));
const people = Array.from({ length: codes.shape[0] }, (_, i) => {
  const canvas = imageCanvas("", 32);
  paint(canvas, decode(Float32Array.from(row(codes, i))));
  const choose = () => { person = i; people.forEach((one, k) => one.setAttribute("aria-pressed", k === i)); drawSoon(); };
  return el("button", { type: "button", onclick: choose, "aria-label": `Face ${i + 1}`, "aria-pressed": i === 0, class: "thumbnail" }, canvas);
});
find("people").append(...people);
find("strip").append(...strip);

const drawStrip = gradually();
function draw() {
  const amounts = sliders.map((one) => one.value), z = codeOf(amounts), norm = Math.hypot(...z), which = attributes.indexOf(last);
  paint(find("face"), decode(z));
  find("norm").textContent = `Norm of the code: ${norm.toFixed(1)}. ` + (norm > limit
    ? `That is beyond ${limit.toFixed(1)}, the 95th percentile of the faces: the decoder extrapolates.`
    : `95 % of the faces lie within ${limit.toFixed(1)}.`);
  find("about-strip").textContent = `Along the direction of ${last.replace("_", " ")} alone, from −${MOST} to +${MOST}:`;
  drawStrip(strip.map((canvas, i) => () => {
    const along = [...amounts];
    along[which] = MOST * (2 * (i / (STEPS - 1)) - 1);
    paint(canvas, decode(codeOf(along)));
  }));
}
const drawSoon = onceAFrame(draw);
find("zero").addEventListener("click", () => { sliders.forEach((one) => { one.value = 0; }); drawSoon(); });

draw();
ready({
  run: (z) => Array.from(decode(Float32Array.from(z)).data),
  step: (k) => { sliders[0].value = Math.sin(k); const start = performance.now(); draw(); return performance.now() - start; },
});
