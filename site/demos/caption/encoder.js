// The sentence encoder of lesson 05b: words as vectors, a convolution over neighbours, a maximum.

const WORD = /[\p{L}]+(?:[-'’][\p{L}]+)*|\d+/gu;
const LENGTH = 32, UNKNOWN = 1;

/** The words of a sentence in lower case, without punctuation. */
export const tokenise = (sentence) => sentence.toLowerCase().match(WORD) ?? [];

/** sentence -> φ (24 numbers), for the encoder's tensors and the words of its vocabulary. */
export function encoder(tensors, words) {
  const [vectors, convolution, head, bias] = ["words.weight", "convolution.weight", "head.weight", "head.bias"].map((name) => tensors[name].data);
  const [filters, width, side] = tensors["convolution.weight"].shape, size = bias.length;
  const numberOf = new Map(words.map((word, i) => [word, i + 2])); // 0 is the padding, 1 an unknown word
  const encode = (sentence) => {
    const numbers = tokenise(sentence).map((word) => numberOf.get(word) ?? UNKNOWN);
    while (numbers.length < LENGTH) numbers.push(0);
    const found = new Float64Array(filters); // max over positions of ReLU
    for (let at = 0; at < numbers.length; at++) for (let k = 0; k < filters; k++) {
      let sum = 0;
      for (let j = 0; j < side; j++) {
        const position = at + j - (side - 1) / 2;
        if (position < 0 || position >= numbers.length) continue;
        for (let i = 0; i < width; i++) sum += convolution[(k * width + i) * side + j] * vectors[numbers[position] * width + i];
      }
      if (sum > found[k]) found[k] = sum;
    }
    const mixed = Array.from(bias, (value, o) => found.reduce((sum, one, k) => sum + head[o * filters + k] * one, value));
    const norm = Math.max(Math.hypot(...mixed), 1e-12);
    return mixed.map((value) => (Math.sqrt(size) * value) / norm);
  };
  return { encode, unknown: (sentence) => [...new Set(tokenise(sentence).filter((word) => !numberOf.has(word)))] };
}
