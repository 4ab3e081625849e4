"""Reading and writing images, with exact geometry.

Public names are imported on first use: training from a prepared folder writes text files alone,
and needs no SimpleITK.
"""

_PUBLIC = {
    "check_labels": "write",
    "prepare_file": "write",
    "prepare_output": "write",
    "read_header": "read",
    "read_image": "read",
    "read_labels": "read",
    "write_image": "write",
    "write_labels": "write",
    "write_text": "atomic",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'metaunetr.io' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"metaunetr.io.{_PUBLIC[name]}"), name)
