"""MetaUNETR: abdominal CT segmentation, the core that knows neither Slicer nor training.

    from metaunetr import Segmenter, read_image, write_labels
    result = Segmenter().segment(read_image("ct.nii.gz"))
    write_labels("organs.seg.nrrd", result)
"""

__version__ = "0.1.0"

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


def __getattr__(name: str):
    """Public names on first use, so that importing the package (and --help) stays instant."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'metaunetr' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PUBLIC[name]), name)
