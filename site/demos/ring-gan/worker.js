// One training in a thread of its own, so that the page answers while it runs.
import { measures, METHODS, Training } from "./gan.js";
import { randomNumbers } from "../shared/random.js";

const SHOWN = 600, QUICK = 1000, COUNTED = 2500, SIDE = 40, PAUSE = 100; // samples, squares, milliseconds
let training, mixture, z, reach, averaged = false, running = false, sent = 0;

function send() {
  // While it runs, fewer samples are counted, so that most of the time goes into the training.
  const all = training.samples(running ? z.subarray(0, 2 * QUICK) : z, averaged);
  postMessage({
    step: training.steps,
    planned: training.method.updates,
    samples: all.slice(0, 2 * SHOWN),
    surface: training.surface(SIDE, reach, all),
    side: SIDE,
    losses: [training.losses.D.slice(sent), training.losses.G.slice(sent)],
    sent,
    measures: mixture ? measures(all, mixture) : null,
  });
  sent = training.steps;
}

function work() {
  if (!running) return;
  const end = performance.now() + PAUSE;
  do training.step();
  while (performance.now() < end && training.steps < training.method.updates);
  const finite = Number.isFinite(training.losses.D.at(-1)) && Number.isFinite(training.losses.G.at(-1));
  if (training.steps >= training.method.updates || !finite) running = false;
  send();
  if (!running) postMessage({ done: true, finite });
  else setTimeout(work);
}

onmessage = ({ data }) => {
  if (data.start) {
    const random = randomNumbers(data.seed);
    ({ mixture, reach } = data);
    training = new Training({ ...METHODS[data.method.key], ...data.method }, data.points, random);
    z = Float32Array.from({ length: 2 * COUNTED }, random.normal);
    [running, sent] = [false, 0];
    send();
  }
  if ("averaged" in data && training) { averaged = data.averaged; if (!data.start) send(); }
  if ("steps" in data) { for (let k = 0; k < data.steps; k++) training.step(); send(); }
  if ("running" in data && running !== data.running) { running = data.running; if (running) work(); }
};
