// The KL divergence of a Gaussian q from p, seen as an area and as lecture 4's two curves.
import { choice, colour, el, onceAFrame, onThemeChange, ready, slider } from "../shared/demo.js";
import { density, gaussian, gaussianKL, summedKL } from "./kl.js";

const find = (id) => document.getElementById(id);
const change = () => drawSoon();
const mean = slider({ label: "Mean of q", min: -3, max: 3, step: 0.05, value: 1, change, meaning: "E(z). Its square is the part u." });
const std = slider({ label: "Standard deviation of q", min: 0.1, max: 2.5, step: 0.05, value: 0.5, change, meaning: "The square root of V(z). Towards 0, q becomes a point, and its KL grows without limit." });
const kind = choice({
  label: "p is", options: { normal: "the prior N(0, 1)", modes: "a mixture of two modes" }, value: "normal", change,
  meaning: "With two modes: the q that makes KL(q ‖ p) small keeps to one mode, the q that makes KL(p ‖ q) small covers both.",
});
find("controls").append(mean.root, std.root, kind.root);

/** Axes on a canvas that is as sharp as the screen. */
function axes(canvas, panels, height) {
  const width = canvas.clientWidth, fine = devicePixelRatio || 1;
  [canvas.width, canvas.height] = [width * fine, height * fine];
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(fine, fine);
  context.font = "13px system-ui, sans-serif";
  return panels.map(({ from, to, x: [x0, x1], y: [y0, y1], label, ticks }) => {
    const left = from * width + 12, right = to * width - 12, bottom = height - 34, top = 8;
    const px = (x) => left + ((right - left) * (x - x0)) / (x1 - x0), py = (y) => bottom - ((bottom - top) * (y - y0)) / (y1 - y0);
    context.strokeStyle = colour("line");
    context.fillStyle = colour("quiet");
    context.lineWidth = 1;
    context.beginPath(); context.moveTo(left, py(0)); context.lineTo(right, py(0)); context.stroke();
    context.textAlign = "center";
    for (const at of ticks) context.fillText(String(at).replace("-", "−"), px(at), bottom + 15);
    context.fillText(label, (left + right) / 2, height - 4);
    const curve = (f, name, fill) => {
      context.save();
      context.beginPath(); context.rect(left, top - 6, right - left, bottom - top + 12); context.clip();
      context.strokeStyle = context.fillStyle = colour(name);
      context.lineWidth = 2.5;
      context.beginPath();
      if (fill) context.moveTo(px(x0), py(0));
      for (let k = 0; k <= 300; k++) { const x = x0 + ((x1 - x0) * k) / 300; context.lineTo(px(x), py(f(x))); }
      if (fill) { context.lineTo(px(x1), py(0)); context.globalAlpha = 0.35; context.fill(); } else context.stroke();
      context.restore();
    };
    const dot = (x, y, name) => {
      context.fillStyle = colour(name);
      context.beginPath(); context.arc(px(x), Math.max(top, py(y)), 6, 0, 7); context.fill();
    };
    return { curve, dot };
  });
}

function draw() {
  const [m, s] = [mean.value, std.value], p = density(kind.value), q = (x) => gaussian(x, m, s);
  const area = (x) => (q(x) > 1e-12 ? q(x) * Math.log(q(x) / p(x)) : 0);
  const top = Math.min(4, 1.05 * Math.max(0.55, q(m), ...Array.from({ length: 181 }, (_, k) => area(-4.5 + k / 20))));
  const [plot] = axes(find("curves"), [{ from: 0, to: 1, x: [-4.5, 4.5], y: [-0.35, top], label: "z", ticks: [-4, -3, -2, -1, 0, 1, 2, 3, 4] }], 300);
  plot.curve(area, "warm", true);
  plot.curve(p, "data");
  plot.curve(q, "accent");
  const closed = gaussianKL(m, s), summed = summedKL(m, s, p), normal = kind.value === "normal";
  const values = normal ? closed : summed;
  const row = (...cells) => el("tr", {}, ...cells.map((text, i) => el(i ? "td" : "th", i ? {} : { scope: "row" }, text)));
  const rows = [row("KL(q ‖ p)", `${values.forward.toFixed(3)} nats`), row("KL(p ‖ q)", `${values.reverse.toFixed(3)} nats`)];
  if (normal) rows.push(row("½ v = ½ (V − log V − 1)", `${(closed.v / 2).toFixed(3)} nats`), row("½ u = ½ E²", `${(closed.u / 2).toFixed(3)} nats`));
  find("numbers").replaceChildren(...rows);
  find("parts").hidden = find("about-parts").hidden = !normal;
  if (!normal) return;
  const [left, right] = axes(find("parts"), [
    { from: 0, to: 0.5, x: [0.01, 4], y: [0, 4], label: "variance V", ticks: [1, 2, 3, 4] },
    { from: 0.5, to: 1, x: [-3, 3], y: [0, 4], label: "mean E", ticks: [-2, -1, 0, 1, 2] },
  ], 190);
  left.curve((v) => v - Math.log(v) - 1, "cool");
  left.dot(Math.min(4, s * s), Math.min(4, closed.v), "accent");
  right.curve((e) => e * e, "cool");
  right.dot(m, Math.min(4, closed.u), "accent");
}
const drawSoon = onceAFrame(draw);
addEventListener("resize", drawSoon);
onThemeChange(draw);

draw();
ready({ gaussianKL, summedKL: (m, s, which) => summedKL(m, s, density(which)), step: (k) => { mean.value = Math.sin(k); const start = performance.now(); draw(); return performance.now() - start; } });
