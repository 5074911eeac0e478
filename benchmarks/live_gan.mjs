// The GANs that train in the page "ring-gan", without the page: all their updates, several seeds.
//
//     node benchmarks/live_gan.mjs [--seeds 5] [--updates N] [--out FILE]
//
// Writes benchmarks/results/live_gan.json, which tests/test_demos.py holds against the tables of
// lesson 04b. A row is one training: modes with at least 1 % of the samples, the share of samples
// within three standard deviations, and the reverse KL, of the last weights and of their average.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { draw, measures, METHODS, mixture, Training } from "../site/demos/ring-gan/gan.js";
import { randomNumbers } from "../site/demos/shared/random.js";

const { values } = parseArgs({ options: {
  seeds: { type: "string", default: "5" }, updates: { type: "string" }, methods: { type: "string", default: "plain,finalist" },
  out: { type: "string", default: new URL("results/live_gan.json", import.meta.url).pathname },
} });

const CODE = ["ring-gan/gan.js", "shared/product.js", "shared/random.js"];
const hash = createHash("sha256");
for (const name of CODE) hash.update(readFileSync(new URL(`../site/demos/${name}`, import.meta.url)));

const ring = mixture("ring"), rows = {};
for (const name of values.methods.split(",")) rows[name] = [];
const result = { protocol: "Ring, 2,500 samples; seeds other than those of the tables.", code: hash.digest("hex"), rows };
for (let seed = 0; seed < Number(values.seeds); seed++) {
  for (const name of Object.keys(rows)) {
    const method = { ...METHODS[name], updates: Number(values.updates ?? METHODS[name].updates) };
    const random = randomNumbers(1000 + seed), began = performance.now();
    const training = new Training(method, draw(ring, 100 * method.batch, random), random);
    for (let k = 0; k < method.updates; k++) training.step();
    const seconds = (performance.now() - began) / 1000;
    const z = Float32Array.from({ length: 5000 }, random.normal);
    const row = { seed, updates: method.updates };
    for (const which of ["generator", "average"]) {
      row[which] = measures(training.samples(z, which === "average"), ring);
      row[which].reverseKL = Number(row[which].reverseKL.toFixed(5));
    }
    rows[name].push(row);
    console.log(name, `${seconds.toFixed(0)} s`, JSON.stringify(row));
    writeFileSync(values.out, JSON.stringify(result, null, 1) + "\n");
  }
}
