// DDIM with η = 0 for a network that predicts v. No page is needed: it serves a worker as well.

/**
 * The states of sampling, from noise to data: x_t, the noise σ_t in it, and the estimate of x₀ from it.
 *
 * `predict` is (x_t, t) -> v; `times` are the t that it is given; `kept` is ᾱ at them and at the end;
 * estimates are kept within ± `clip`, the reach of the data. The states are computed one by one, as they are asked for.
 */
export function* ddim(predict, { times, kept, clip }, x) {
  for (const [step, t] of times.entries()) {
    const v = predict(x, t);
    const [scale, sigma] = [kept[step], 1 - kept[step]].map(Math.sqrt);
    const [nextScale, nextSigma] = [kept[step + 1], 1 - kept[step + 1]].map(Math.sqrt);
    const x0 = x.map((value, i) => Math.max(-clip, Math.min(clip, scale * value - sigma * v[i])));
    yield { x, x0, sigma };
    x = x.map((value, i) => nextScale * x0[i] + (nextSigma * (value - scale * x0[i])) / sigma);
  }
  yield { x, x0: x, sigma: 0 };
}
