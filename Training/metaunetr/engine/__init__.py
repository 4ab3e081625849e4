"""From an image with geometry to labels on the same grid, in bounded memory.

    resample   canonical view → model spacing, 0..1; the box of the body
    turn       images that lie far askew: upright before the network, back after it
    windows    where the network looks, and blending what it says
    device     which device and precision, and what to do when they fail
    parts      stray fragments are dropped
    restore    class scores → labels on the input grid, slice by slice
    findings   confidence and statistics per organ
    flags      what looks wrong about an organ, by itself and beside the others
    estimate, record     what is told before and after
    segmenter  all of it behind one call
"""

__all__ = ["Segmenter"]


def __getattr__(name: str):
    """On first use: training needs `windows` and `device`, but no SimpleITK."""
    if name not in __all__:
        raise AttributeError(f"module 'metaunetr.engine' has no attribute {name!r}")
    from metaunetr.engine.segmenter import Segmenter

    return Segmenter
