// Handles over an image: drag to move, click to add (a single one moves there), double-click or
// Delete to remove.
const SEND_EVERY = 40; // milliseconds while dragging: at most 25 updates a second
const NUDGE = 0.01; // of the width of the plane, for one press of an arrow key
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

function render({ model, el }) {
  el.classList.add("course-plane");
  el.dataset.lmSuppressShortcuts = "true"; // JupyterLab leaves the keys of a handle to it
  const [low, high, bottom, top] = model.get("extent");
  const [left, upper, right, lower] = model.get("frame"); // of the plane, as parts of the image
  const points = () => model.get("state").points;
  const clip = ([x, y]) =>
    [Math.min(high, Math.max(low, x)), Math.min(top, Math.max(bottom, y))];
  const pointAt = (event) => {
    const box = el.getBoundingClientRect();
    const across = ((event.clientX - box.left) / box.width - left) / (right - left);
    const down = ((event.clientY - box.top) / box.height - upper) / (lower - upper);
    return [low + across * (high - low), top - down * (top - bottom)];
  };

  let [held, waiting, sent] = [false, null, 0];
  const send = () => {
    [waiting, sent] = [null, performance.now()];
    model.save_changes();
  };
  const put = (changed, chosen) => {
    model.set("state", { points: changed, chosen });
    waiting ??= setTimeout(send, Math.max(0, sent + SEND_EVERY - performance.now()));
  };
  const moveTo = (number, point) =>
    put(points().map((old, other) => (other === number ? clip(point) : old)), number);
  const remove = (number) => points().length > model.get("least") &&
    put(points().filter((_, other) => other !== number), Math.max(0, number - 1));

  const addHandle = (number) => {
    const handle = el.appendChild(document.createElement("button"));
    handle.type = "button";
    handle.onpointerdown = (event) => {
      held = true;
      handle.setPointerCapture(event.pointerId);
      put(points(), number);
    };
    handle.onpointermove = (event) => held && moveTo(number, pointAt(event));
    handle.onpointerup = handle.onpointercancel = () => { held = false; };
    handle.ondblclick = () => remove(number);
    handle.onkeydown = (event) => {
      const [across, up] = ARROWS[event.key] ?? [0, 0], [x, y] = points()[number];
      if (event.key in ARROWS)
        moveTo(number, [x + across * NUDGE * (high - low), y + up * NUDGE * (top - bottom)]);
      else if (["Delete", "Backspace"].includes(event.key)) remove(number);
      else return;
      event.preventDefault();
    };
    return handle;
  };
  const handles = [];
  const draw = () => {
    while (handles.length < points().length) handles.push(addHandle(handles.length));
    while (handles.length > points().length) handles.pop().remove();
    points().forEach(([x, y], number) => {
      const handle = handles[number];
      handle.style.left = `${100 * (left + ((x - low) / (high - low)) * (right - left))}%`;
      handle.style.top = `${100 * (upper + ((top - y) / (top - bottom)) * (lower - upper))}%`;
      const name = `${model.get("label")} ${number + 1} at ${x.toFixed(2)}, ${y.toFixed(2)}`;
      handle.setAttribute("aria-label", name);
    });
  };
  el.onclick = (event) => {
    const [x, y] = pointAt(event), number = points().length;
    const inside = low <= x && x <= high && bottom <= y && y <= top;
    if (!inside || event.target !== el) return;
    if (model.get("most") === 1) moveTo(0, [x, y]); // a single handle comes to the click
    else if (number < model.get("most")) put([...points(), [x, y]], number);
  };
  model.on("change:state", draw);
  draw();
}

export default { render };
