// Steps of the live GAN's training from given weights, batches and noise, in a page or in node.

/**
 * @param modules {METHODS, Training, randomNumbers}
 * @param given {method, first: the number of the first step, G, D, real, noise}
 * @returns losses of every step, gradients of the last, and all weights afterwards
 */
export function replay({ METHODS, Training, randomNumbers }, given) {
  const training = new Training(METHODS[given.method], new Float32Array(4), randomNumbers(0));
  for (const net of ["G", "D"]) training[net].parameters().forEach((weights, k) => weights.set(given[net][k]));
  training.average = training.G.parameters().map((weights) => weights.slice());
  training.steps = given.first;
  const real = given.real.map((one) => Float32Array.from(one)), noise = given.noise.map((one) => Float32Array.from(one));
  training.realBatch = () => real.shift();
  training.noise = () => noise.shift();
  while (noise.length) training.step();
  const lists = (arrays) => arrays.map((one) => Array.from(one));
  return {
    G: lists(training.G.parameters()), D: lists(training.D.parameters()), average: lists(training.average),
    gradient_G: lists(training.G.gradient), gradient_D: lists(training.D.gradient), losses: training.losses,
  };
}
