// What the demos compute, without a page: `node tests/demo_node.mjs`, requests on standard input.
// {gan: given} trains; {networks: {file: [inputs]}} runs networks; the answer is written as JSON.
import { readFileSync } from "node:fs";
import { METHODS, Training } from "../site/demos/ring-gan/gan.js";
import { network, readTensors } from "../site/demos/shared/nn.js";
import { randomNumbers } from "../site/demos/shared/random.js";
import { replay } from "./demo_gan.mjs";

let text = "";
for await (const part of process.stdin) text += part;
const asked = JSON.parse(text), answer = {};
if (asked.gan) answer.gan = replay({ METHODS, Training, randomNumbers }, asked.gan);
for (const [file, inputs] of Object.entries(asked.networks ?? {})) {
  const bytes = readFileSync(file), run = network(readTensors(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)));
  answer[file] = inputs.map((input) => Array.from(run(Float32Array.from(input)).data));
}
process.stdout.write(JSON.stringify(answer));
