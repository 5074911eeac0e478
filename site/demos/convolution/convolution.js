// The arithmetic of one convolution and one transposed convolution on whole numbers.

export const outputSize = (d, f, p, s, transposed) => (transposed ? (d - 1) * s - 2 * p + f : Math.floor((d - f + 2 * p) / s) + 1);

/** The output (n, n) of an image (d, d) and a kernel (f, f), row by row; null where there is none. */
export function convolve(image, d, kernel, f, p, s, transposed) {
  const n = outputSize(d, f, p, s, transposed);
  if (n < 1) return null;
  const output = new Float32Array(n * n);
  for (let y = 0; y < (transposed ? d : n); y++) for (let x = 0; x < (transposed ? d : n); x++) {
    for (let i = 0; i < f; i++) for (let j = 0; j < f; j++) {
      const [row, column] = [y * s + i - p, x * s + j - p];
      if (transposed) {
        if (row >= 0 && row < n && column >= 0 && column < n) output[row * n + column] += image[y * d + x] * kernel[i * f + j];
      } else if (row >= 0 && row < d && column >= 0 && column < d) output[y * n + x] += image[row * d + column] * kernel[i * f + j];
    }
  }
  return output;
}
