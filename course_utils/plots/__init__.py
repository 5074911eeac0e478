"""Figures: one style, images as tiles, and plots that can be redrawn fast enough to drag.

Images are arrays of bytes, (H, W, 3) uint8; only plots with axes use matplotlib, which is imported
when the first one is drawn.
"""

from .figures import PALETTE, LivePlot, codes_map, number_grid, use_course_style
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
