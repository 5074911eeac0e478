// Before MathJax: where it lies, and that it reads formulas alone. Nothing comes from elsewhere.
const root = document.documentElement.dataset.content_root;
const mathjax = new URL(root + "_static/mathjax", location.href).href;
window.MathJax = {
  loader: { load: ["a11y/assistive-mml"], paths: { mathjax, fonts: mathjax + "/fonts" } },
  // A formula is not torn apart: where it is wider than the page, its box scrolls. In a line of
  // text it may break on a phone, which some would not fit otherwise.
  output: { displayOverflow: "overflow", linebreaks: { inline: innerWidth < 768 } },
  options: {
    ignoreHtmlClass: "mathjax_ignore|document",
    processHtmlClass: "mathjax_process|math|output_area",
    enableMenu: false,
    enableExplorer: false,
    menuOptions: { settings: { enrich: false, speech: false, braille: false, assistiveMml: true } },
  },
};

// What scrolls sideways can be scrolled by keys too.
const reachable = () => {
  const wide =
    ".highlight pre, .output pre, .table-wrapper, .output.text_html, div.math, .course-figure";
  for (const box of document.querySelectorAll(wide)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
addEventListener("load", () => {
  reachable();
  window.MathJax.startup?.promise.then(reachable);
  // A folded cell is called by its title.
  for (const box of document.querySelectorAll("details.hide > summary")) {
    box.removeAttribute("aria-label");
  }
});
addEventListener("resize", reachable);
addEventListener("toggle", reachable, true);
