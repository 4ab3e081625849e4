"""MetaUNETR: abdominal CT segmentation; the core, independent of Slicer and training.

    from metaunetr import Segmenter, read_image, write_labels
    result = Segmenter().segment(read_image("ct.nii.gz"))
    write_labels("organs.seg.nrrd", result)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers, which do not follow __getattr__
    from metaunetr.engine import Segmenter as Segmenter
    from metaunetr.image import Grid as Grid
    from metaunetr.image import Image as Image
    from metaunetr.io import read_image as read_image
    from metaunetr.io import read_labels as read_labels
    from metaunetr.io import write_labels as write_labels
    from metaunetr.result import Result as Result

__version__ = "0.2.0"

_PUBLIC = {
    "Image": "metaunetr.image",
    "Grid": "metaunetr.image",
    "Result": "metaunetr.result",
    "Segmenter": "metaunetr.engine",
    "read_image": "metaunetr.io",
    "read_labels": "metaunetr.io",
    "write_labels": "metaunetr.io",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Public names on first use, so that importing the package (and --help) stays instant."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'metaunetr' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
