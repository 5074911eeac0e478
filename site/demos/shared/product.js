// The one product of matrices that the networks of the demos and their training need.

/** C (M, N) = Aᵀ B for A (K, M) and B (K, N), row by row. Sums are kept in registers, 2 × 4 at a time. */
export function product(A, B, M, K, N, C = new Float32Array(M * N)) {
  const [wholeM, wholeN] = [M - (M % 2), N - (N % 4)];
  for (let m = 0; m < wholeM; m += 2) {
    for (let n = 0; n < wholeN; n += 4) {
      let [a0, a1, a2, a3, b0, b1, b2, b3] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let k = 0, a = m, b = n; k < K; k++, a += M, b += N) {
        const x = A[a], y = A[a + 1];
        const u0 = B[b], u1 = B[b + 1], u2 = B[b + 2], u3 = B[b + 3];
        a0 += x * u0; a1 += x * u1; a2 += x * u2; a3 += x * u3;
        b0 += y * u0; b1 += y * u1; b2 += y * u2; b3 += y * u3;
      }
      const c = m * N + n, d = c + N;
      C[c] = a0; C[c + 1] = a1; C[c + 2] = a2; C[c + 3] = a3;
      C[d] = b0; C[d + 1] = b1; C[d + 2] = b2; C[d + 3] = b3;
    }
  }
  const edge = (m, n) => {
    let sum = 0;
    for (let k = 0; k < K; k++) sum += A[k * M + m] * B[k * N + n];
    C[m * N + n] = sum;
  };
  for (let m = 0; m < wholeM; m++) for (let n = wholeN; n < N; n++) edge(m, n);
  for (let m = wholeM; m < M; m++) for (let n = 0; n < N; n++) edge(m, n);
  return C;
}
