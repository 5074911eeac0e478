// Formulas first, then letters as large as each slide allows, and then reveal.js.
const SMALLEST = 20, LARGEST = 34, IN_PRINT = 0.78;  // of what was printed, in letters of the text
const mathjax = new URL("_static/mathjax", location.href).href;

window.MathJax = {
  loader: { paths: { mathjax, fonts: mathjax + "/fonts" } },
  output: { displayOverflow: "overflow" },
  svg: { fontCache: "local" },  // so that a formula is whole in the presenter's window too
  options: {
    enableMenu: false,
    enableExplorer: false,
    ignoreHtmlClass: "code|panel-source",
    menuOptions: { settings: { enrich: false, speech: false, braille: false, assistiveMml: false } },
  },
  startup: { typeset: false },
};

// A formula or printed line that is too wide becomes smaller before the text around it does.
function narrow(box, size) {
  const wide = [...box.querySelectorAll("mjx-container[display=true]")];
  for (const formula of wide) formula.style.fontSize = "";
  for (const formula of wide) {
    const [width, room] = [formula.scrollWidth, formula.clientWidth];
    const smaller = Math.max(room / width, SMALLEST / size);
    if (width > room + 1) formula.style.fontSize = Math.floor(100 * smaller) + "%";
  }
  for (const printed of box.querySelectorAll("pre")) {
    let letters = Math.max(SMALLEST, Math.floor(size * IN_PRINT));
    const set = space => {
      printed.style.fontSize = letters + "px";
      printed.style.whiteSpace = space;
    };
    set("pre");
    while (printed.scrollWidth > printed.clientWidth && letters > SMALLEST) {
      letters -= 1;
      set("pre");
    }
    if (printed.scrollWidth > printed.clientWidth) set("pre-wrap");
  }
}

const fits = box =>
  box.scrollHeight <= box.clientHeight && box.scrollWidth <= box.clientWidth;

function fit(box) {
  let [low, high] = [SMALLEST, Number(box.dataset.largest ?? LARGEST)];
  while (low < high) {  // the largest size that fits, or the smallest that may be read
    const size = Math.ceil((low + high) / 2);
    box.style.fontSize = size + "px";
    narrow(box, size);
    if (fits(box)) low = size;
    else high = size - 1;
  }
  box.style.fontSize = low + "px";
  narrow(box, low);
}

// Letters are spaced a little otherwise on the stage than where all slides were measured.
function shrink(slide) {
  for (const box of slide.querySelectorAll(".fit")) {
    for (let size = parseFloat(box.style.fontSize) - 1; size >= SMALLEST && !fits(box); size--) {
      box.style.fontSize = size + "px";
      narrow(box, size);
    }
  }
}

function openCode(slide) {
  const boxes = [...slide.querySelectorAll("details")];
  const open = boxes.findIndex(box => box.open);
  if (open >= 0) boxes[open].open = false;
  if (boxes[open + 1]) boxes[open + 1].open = true;  // one after the other, then none
}

async function begin() {
  const unserved = location.protocol === "file:";  // where a page may not load a demo's modules
  document.documentElement.classList.toggle("unserved", unserved);
  if (unserved) document.querySelectorAll("iframe").forEach(frame => frame.removeAttribute("data-src"));
  await Promise.all(["", "italic ", "600 ", "italic 600 "].map(
    style => document.fonts.load(style + "20px 'Source Sans Pro'")));
  await MathJax.startup.promise;
  await MathJax.typesetPromise([document.querySelector(".slides")]);
  document.querySelectorAll(".fit").forEach(fit);
  document.documentElement.classList.remove("measuring");
  for (const box of document.querySelectorAll("details")) {
    box.addEventListener("toggle", () => {
      if (box.open) fit(box.querySelector(".panel"));
      for (const other of box.parentElement.children) {
        if (box.open && other !== box) other.open = false;
      }
    });
    // Or the next space would close it and not go on.
    box.firstElementChild.addEventListener("click", event => event.currentTarget.blur());
  }
  addEventListener("keydown", event => {
    const open = Reveal.getCurrentSlide()?.querySelector("details[open]");
    if (event.key !== "Escape" || !open) return;
    open.open = false;
    event.stopImmediatePropagation();
  }, true);
  await Reveal.initialize({
    width: 1280, height: 720, margin: 0, minScale: 0.1, maxScale: 4, center: false,
    hash: true, navigationMode: "linear", transition: "none", backgroundTransition: "none",
    slideNumber: "c/t", controls: false, viewDistance: 2, pdfSeparateFragments: false,
    keyboard: { 67: () => openCode(Reveal.getCurrentSlide()) },
    plugins: [RevealNotes],
  });
  shrink(Reveal.getCurrentSlide());
  Reveal.on("slidechanged", ({ previousSlide, currentSlide }) => {
    shrink(currentSlide);
    previousSlide?.querySelectorAll("details[open]").forEach(box => { box.open = false; });
  });
  document.documentElement.dataset.ready = "yes";
}

addEventListener("DOMContentLoaded", begin);
