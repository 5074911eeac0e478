// Faces from a sentence: an encoder of sentences and a generator that is conditioned on it.
import { button, choice, fail, gradually, imageCanvas, onceAFrame, paint, ready, slider } from "../shared/demo.js";
import { load, network } from "../shared/nn.js";
import { randomNumbers } from "../shared/random.js";
import { encoder } from "./encoder.js";

const find = (id) => document.getElementById(id);
const [text, images] = await Promise.all([load("encoder.safetensors"), load("generator.safetensors")]).catch(fail);
const words = JSON.parse(text.about.words), { encode, unknown } = encoder(text.tensors, words), generate = network(images);
const LATENT = 16, SHOWN = 4;
const EXAMPLES = [
  "A child with red pigtails and glasses, beaming, in front of a green wall.",
  "An old person with a bald head and a grey beard, a little sad, on a blue background.",
  "A grown-up with curly blue hair, serious, on a yellow background.",
  "A kid with a blond bob and round glasses, frowning a little, in front of a lilac wall.",
  "An adult with no hair and a full black beard.",
];

const sentence = find("sentence");
sentence.value = EXAMPLES[0];
sentence.addEventListener("input", () => drawSoon());
const example = choice({
  label: "An example", options: Object.fromEntries(EXAMPLES.map((one, i) => [i, one])), value: "0",
  meaning: "Change a word of it, and see what follows.", change: (i) => { sentence.value = EXAMPLES[i]; drawSoon(); },
});
const seed = slider({
  label: "Noise z", min: 0, max: 20, step: 1, value: 3, show: String, change: () => drawSoon(),
  meaning: "Which four z. What the sentence leaves unsaid, skin and width of the face, is left to z.",
});
const strength = slider({
  label: "Weight of the sentence", min: 0, max: 1.5, step: 0.05, value: 1, show: (v) => `× ${v.toFixed(2)}`, change: () => drawSoon(),
  meaning: "φ(t) times this. Training had 1; at 0 the sentence is not read at all.",
});
find("controls").append(example.root, seed.root, strength.root);
find("words").append(...words.map((word) => button(word, () => {
  sentence.value = `${sentence.value.replace(/\s*$/, "")} ${word}`;
  drawSoon();
})));

const canvases = Array.from({ length: SHOWN }, () => imageCanvas("", 32));
find("faces").append(...canvases);

const drawOthers = gradually();
function draw() {
  const phi = encode(sentence.value).map((value) => strength.value * value), { normal } = randomNumbers(seed.value);
  const inputs = canvases.map(() => Float32Array.from([...Array.from({ length: LATENT }, normal), ...phi]));
  const [first, ...others] = canvases.map((canvas, i) => () => paint(canvas, generate(inputs[i])));
  first();
  drawOthers(others);
  const missing = unknown(sentence.value);
  find("known").textContent = !sentence.value.trim() ? "There is no sentence yet: write one, or choose an example."
    : missing.length ? `Not in the vocabulary: ${missing.join(", ")}. Each is encoded as an unknown word.` : "Every word is in the vocabulary.";
}
const drawSoon = onceAFrame(draw);

draw();
ready({
  run: (input) => Array.from(generate(Float32Array.from(input)).data),
  encode,
  step: (k) => { strength.value = 1 + 0.4 * Math.sin(k); const start = performance.now(); draw(); return performance.now() - start; },
});
