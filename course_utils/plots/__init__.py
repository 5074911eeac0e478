"""Figures: one style, grids of images, and plots that are redrawn fast enough for a slider.

Open `images` for grids, captions and rows of images, `figures` for everything with axes, `curves`
for training curves and dots over seeds, `schematics` for drawings of the methods, and `live_image`
for an image that changes while a loop runs. Images are arrays of bytes, (H, W, 3) uint8; only plots
with axes use matplotlib, which is imported when the first one is drawn.
"""

from . import schematics
from .curves import dot_plot, training_curves
from .figures import PALETTE, LivePlot, codes_map, number_grid, plain, use_course_style
from .images import (
    Figure,
    captioned,
    image_grid,
    image_rows,
    png,
    side_by_side,
    small_png,
    stacked,
    to_bytes,
)
