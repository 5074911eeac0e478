// Densities on the line and their divergences in nats.

const gaussian = (x, mean, std) => Math.exp(-0.5 * ((x - mean) / std) ** 2) / (std * Math.sqrt(2 * Math.PI));

/** The density p: the standard normal, or two modes of width 0.6 at ± distance. */
export const density = (kind, distance = 2) =>
  kind === "normal" ? (x) => gaussian(x, 0, 1) : (x) => 0.5 * gaussian(x, -distance, 0.6) + 0.5 * gaussian(x, distance, 0.6);

/** KL(q ‖ p) for q = N(mean, std²), p = N(0, 1), and its two parts v and u of lecture 4. */
export function gaussianKL(mean, std) {
  const variance = std * std, v = variance - Math.log(variance) - 1, u = mean * mean;
  return { v, u, forward: 0.5 * (v + u), reverse: 0.5 * (1 / variance + u / variance - 1 + Math.log(variance)) };
}

/** Both divergences of q = N(mean, std²) and p by sums over a grid. */
export function summedKL(mean, std, p, reach = 12, count = 6001) {
  const step = (2 * reach) / (count - 1);
  let [qp, pq] = [0, 0];
  for (let k = 0; k < count; k++) {
    const x = -reach + k * step, a = gaussian(x, mean, std), b = p(x);
    if (a > 1e-300 && b > 1e-300) {
      qp += a * Math.log(a / b) * step;
      pq += b * Math.log(b / a) * step;
    }
  }
  return { forward: qp, reverse: pq };
}

export { gaussian };
