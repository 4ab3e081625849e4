"""From an image to labels on the same grid, in bounded memory.

    segmenter      the whole pipeline behind one call: read this first
    geometry       where the model grid lies in an image
    resample       canonical view → model spacing, 0..1; the box of the body
    rotate         very oblique images: to the patient's axes, and their logits back
    windows        sliding windows, and blending their logits
    backends       devices and precisions that can run the network, with fallbacks
    precision      the floating-point type that is fast on this CPU
    runner         runs the network, and falls back when a backend fails
    components     connected components; removing the small ones
    upsample       logits → labels on the grid of the image, slice by slice
    organ_stats    confidence, volume, HU and flags of each organ
    flags          what is doubtful about an organ, by itself and beside the others
    estimate       time and memory of a run, before it
    provenance     what is needed to repeat a run
    reporter       events, warnings and times of a run
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers, which do not follow __getattr__
    from metaunetr.engine.segmenter import Segmenter as Segmenter

__all__ = ["Segmenter"]


def __getattr__(name: str) -> Any:
    """Import on first use: training needs `windows` and `runner`, but no SimpleITK."""
    if name not in __all__:
        raise AttributeError(f"module 'metaunetr.engine' has no attribute {name!r}")
    from metaunetr.engine.segmenter import Segmenter

    return Segmenter
