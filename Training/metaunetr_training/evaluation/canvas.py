"""What all pictures of evaluations and training share: size, style, the colours of organs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from metaunetr.io.atomic import atomic
from metaunetr.organs import BY_NAME
from metaunetr.report.palette import shown_colour

DPI = 150
INK, QUIET, LINE = "#1c2733", "#5b6b7b", "#dde3e9"  # as in the core's report
STYLE = {
    "font.size": 9, "axes.edgecolor": QUIET, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": QUIET, "ytick.color": INK, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": LINE, "axes.axisbelow": True,
    "svg.fonttype": "none", "figure.dpi": DPI,
}


@contextmanager
def canvas(path: Path, width: float, height: float, **kwargs) -> Iterator:
    """A picture of `width` × `height` pixels that is written when the block ends.

    Drawn without pyplot, which keeps figures and asks for a display.

    Raises:
        OutputError: the file cannot be written.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=(width / DPI, height / DPI), **kwargs)
        FigureCanvasAgg(drawn)
        yield drawn
        with atomic(path) as temporary:
            drawn.savefig(temporary, dpi=DPI, format=path.suffix[1:])


def colour(organ: str, light: float = 0.0) -> tuple[float, ...]:
    """The organ's colour, mixed with white."""
    rgb = np.array(shown_colour(BY_NAME[organ])) / 255
    return tuple(rgb + (1 - rgb) * light)
