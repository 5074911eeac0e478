"""How Sphinx makes the site; `make site` calls it. Nothing here fetches or executes anything."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Generative deep learning"
html_title = "Generative deep learning"
author = "The course authors"
copyright = "The course authors, MIT licence"
language = "en"

extensions = ["myst_nb", "terms"]
exclude_patterns = [".doctrees"]
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["course.css"]
# course.js comes before MathJax: it says where MathJax finds its letters.
html_js_files = [("course.js", {"priority": 200})]
html_favicon = "_static/icon.svg"
html_theme = "furo"
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/more.html",
        "sidebar/scroll-end.html",
    ]
}
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5fa5", "color-brand-content": "#0b5fa5"},
    "dark_css_variables": {"color-brand-primary": "#7cc0ff", "color-brand-content": "#7cc0ff"},
}
html_copy_source = False
html_use_index = False
html_show_sourcelink = False
html_permalinks_icon = "#"

# Of the notebooks, the stored outputs alone.
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"  # tables in an output, too
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_dmath_double_inline = True
myst_heading_anchors = 3
myst_update_mathjax = False
mathjax_path = "mathjax/tex-chtml.js"
suppress_warnings = ["mystnb.lexer"]
