// What the demos have in common: controls that say what they mean, images on a canvas, the plane.

/** An element with attributes and children; `on…` attributes are listeners. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-") && value != null) element.setAttribute(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

let numbered = 0;

/** A slider with its label, its value and one sentence on what it does. */
export function slider({ label, meaning, min, max, step, value, show = (v) => v.toFixed(2), change }) {
  const id = `control-${++numbered}`;
  const input = el("input", { type: "range", id, min, max, step, value, "aria-describedby": `${id}-meaning` });
  const output = el("output", { for: id });
  const root = el("div", { class: "control" },
    el("label", { for: id }, label), output, input,
    el("p", { class: "meaning", id: `${id}-meaning` }, meaning));
  const told = () => { output.textContent = show(Number(input.value)); };
  input.addEventListener("input", () => { told(); change?.(Number(input.value)); });
  told();
  return { root, input, get value() { return Number(input.value); }, set value(v) { input.value = v; told(); } };
}

/** A choice of a few words. */
export function choice({ label, meaning, options, value, change }) {
  const id = `control-${++numbered}`;
  const select = el("select", { id, "aria-describedby": meaning ? `${id}-meaning` : null },
    ...Object.entries(options).map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  select.addEventListener("change", () => change?.(select.value));
  const root = el("div", { class: "control" }, el("label", { for: id }, label), select);
  if (meaning) root.append(el("p", { class: "meaning", id: `${id}-meaning` }, meaning));
  return { root, input: select, get value() { return select.value; }, set value(v) { select.value = v; } };
}

/** A switch: on or off. */
export function tick({ label, meaning, value = false, change }) {
  const id = `control-${++numbered}`;
  const input = el("input", { type: "checkbox", id, checked: value, "aria-describedby": meaning ? `${id}-meaning` : null });
  input.addEventListener("change", () => change?.(input.checked));
  const root = el("div", { class: "control tick" }, input, el("label", { for: id }, label));
  if (meaning) root.append(el("p", { class: "meaning", id: `${id}-meaning` }, meaning));
  return { root, input, get value() { return input.checked; }, set value(v) { input.checked = v; } };
}

export function button(label, press, attributes = {}) {
  return el("button", { type: "button", onclick: press, ...attributes }, label);
}

/** Pixels (C, H, W) in [0, 1], C = 1 or 3, as ImageData. */
export function pixelsOf({ data, shape: [channels, height, width] }) {
  const image = new ImageData(width, height), area = height * width;
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = 255 * data[channels === 3 ? c * area + i : i];
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/** Show an image (C, H, W) on a canvas, each of its pixels as a square. */
export function paint(canvas, image) {
  const pixels = pixelsOf(image);
  if (canvas.width !== pixels.width) canvas.width = pixels.width;
  if (canvas.height !== pixels.height) canvas.height = pixels.height;
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

/** A canvas for an image; without a label it is one of a row or a button that has its own. */
export function imageCanvas(label, side = 28) {
  const said = label ? { role: "img", "aria-label": label } : { "aria-hidden": true };
  return el("canvas", { class: "image", width: side, height: side, ...said });
}

/** The colour that a name has in the style sheet, in the light or the dark. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
export const onThemeChange = (f) => matchMedia("(prefers-color-scheme: dark)").addEventListener("change", f);

/**
 * A handle that is dragged on a plane by mouse, touch and arrow keys. `to` hears the place as shares of
 * the plane, from its lower left corner; `by` hears a key as -1, 0 or 1 along each axis, and its event.
 */
export function draggable(plane, handle, { to, by }) {
  const move = (event) => {
    const box = plane.getBoundingClientRect();
    to([(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height]);
  };
  plane.addEventListener("pointerdown", (event) => {
    plane.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    move(event);
    event.preventDefault();
  });
  plane.addEventListener("pointermove", (event) => { if (plane.hasPointerCapture(event.pointerId)) move(event); });
  handle.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    if (!step) return;
    by(step, event);
    event.preventDefault();
  });
}

/** Call at most once a frame, however often it is asked for. */
export function onceAFrame(f) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; f(); });
  };
}

/**
 * Do many small tasks a few at a time, so that the page answers in between. Asked again, it goes on
 * with the new tasks from where it was, so that all of them get their turn during a long drag.
 */
export function gradually(budget = 6) {
  let turn = 0, next = 0;
  return (tasks) => {
    const mine = ++turn;
    let left = tasks.length;
    const some = () => {
      if (mine !== turn) return;
      for (const end = performance.now() + budget; left && performance.now() < end; left--) tasks[next++ % tasks.length]();
      if (left) requestAnimationFrame(some);
    };
    requestAnimationFrame(some);
  };
}

/** Call `start` when the element comes into view or is first touched. */
export function whenSeen(element, start) {
  let begun = false;
  const begin = () => { if (!begun) { begun = true; watcher.disconnect(); start(); } };
  const watcher = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) begin(); }, { rootMargin: "100px" });
  watcher.observe(element);
  for (const event of ["pointerdown", "focusin"]) element.addEventListener(event, begin, { once: true });
}

/** Say in the page what went wrong, instead of leaving it empty. */
export function fail(error) {
  document.querySelector("main").prepend(el("p", { class: "error", role: "alert" }, `This demo cannot run here: ${error.message}`));
  throw error;
}

/** The demo is alive: its first image is drawn. `offered` is what the tests ask it. */
export function ready(offered = {}) {
  performance.mark("first image");
  window.demo = { ...window.demo, ...offered };
  document.documentElement.dataset.ready = "yes";
}

// In a frame on a page of the same site, the frame becomes as high as the demo is at this width.
// In the section that explains it, a demo needs no link to that section.
if (location.search === "?here") document.querySelector("header a")?.remove();
if (window.frameElement) {
  new ResizeObserver(() => {
    window.frameElement.style.height = `${Math.ceil(document.body.getBoundingClientRect().height) + 2}px`;
  }).observe(document.body);
}
