// Faces of a conditional GAN: six attributes as condition y, and a latent vector z.
import { choice, fail, gradually, imageCanvas, onceAFrame, paint, ready, slider, tick } from "../shared/demo.js";
import { load, network } from "../shared/nn.js";
import { randomNumbers } from "../shared/random.js";

const find = (id) => document.getElementById(id);
const file = await load("generator.safetensors").catch(fail);
const generate = network(file), CHOICES = JSON.parse(file.about.choices), LATENT = 16;

let seed = 1, z, others;

/** y as `face_vectors.encode` makes it: an age between two stages is a mixture of both. */
function condition({ smile, age, glasses, beard, hairStyle, hairColour }) {
  const ages = [0, 0, 0], stage = Math.min(1, Math.floor(age));
  [ages[stage], ages[stage + 1]] = [1 - (age - stage), age - stage];
  const oneHot = (names, chosen) => names.map((name) => Number(name === chosen));
  return [smile, ...ages, Number(glasses), Number(beard), ...oneHot(CHOICES.hair_style, hairStyle), ...oneHot(CHOICES.hair_colour, hairColour)];
}
const image = (latent, y) => generate(Float32Array.of(...latent, ...y));

const STAGES = ["child", "adult", "old"];
const change = () => drawSoon();
const named = (names) => Object.fromEntries(names.map((name) => [name, name]));
const smile = slider({ label: "Smile", min: -1, max: 1, step: 0.05, value: 0.8, change, meaning: "From frowning (−1) to smiling (1); training had every value." });
const age = slider({
  label: "Age", min: 0, max: 2, step: 0.05, value: 1, change, meaning: "Child, adult, old. Training had these three only; what lies between is a mixture of two conditions.",
  show: (value) => STAGES[value] ?? `${STAGES[Math.floor(value)]} to ${STAGES[Math.ceil(value)]}`,
});
const hairStyle = choice({ label: "Hair style", options: named(CHOICES.hair_style), value: "curly", change });
const hairColour = choice({ label: "Hair colour", options: named(CHOICES.hair_colour), value: "red", change, meaning: "In training the hair of the old is grey, whatever the colour." });
const glasses = tick({ label: "Glasses", value: true, change });
const beard = tick({ label: "Beard", change });
find("controls").append(...[smile, age, hairStyle, hairColour, glasses, beard].map((one) => one.root));

const canvases = (id, count) => {
  const made = Array.from({ length: count }, () => imageCanvas("", 32));
  find(id).append(...made);
  return made;
};
const ages = canvases("ages", 7), people = canvases("people", 7);

const attributes = () => Object.fromEntries(Object.entries({ smile, age, glasses, beard, hairStyle, hairColour }).map(([name, one]) => [name, one.value]));

const drawRows = gradually();
function draw() {
  const now = attributes(), y = condition(now);
  paint(find("face"), image(z, y));
  drawRows([
    ...ages.map((canvas, i) => () => paint(canvas, image(z, condition({ ...now, age: i / 3 })))),
    ...people.map((canvas, i) => () => paint(canvas, image(others[i], y))),
  ]);
}
const drawSoon = onceAFrame(draw);

function newPerson() {
  const random = randomNumbers(seed++), draw16 = () => Array.from({ length: LATENT }, random.normal);
  z = draw16();
  others = Array.from({ length: people.length }, draw16);
  draw();
}
find("new").addEventListener("click", newPerson);

newPerson();
ready({
  run: (input) => Array.from(generate(Float32Array.from(input)).data),
  condition,
  step: (k) => { smile.value = Math.sin(k); const start = performance.now(); draw(); return performance.now() - start; },
});
