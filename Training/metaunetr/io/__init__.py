"""Reading and writing images, with exact geometry.

Public names are imported on first use: training from a prepared folder writes text files alone,
and needs no SimpleITK.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers, which do not follow __getattr__
    from metaunetr.io.atomic import write_text as write_text
    from metaunetr.io.read import read_header as read_header
    from metaunetr.io.read import read_image as read_image
    from metaunetr.io.read import read_labels as read_labels
    from metaunetr.io.write import can_hold as can_hold
    from metaunetr.io.write import check_labels as check_labels
    from metaunetr.io.write import prepare_file as prepare_file
    from metaunetr.io.write import prepare_output as prepare_output
    from metaunetr.io.write import write_image as write_image
    from metaunetr.io.write import write_labels as write_labels

_PUBLIC = {
    "can_hold": "write",
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


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'metaunetr.io' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"metaunetr.io.{_PUBLIC[name]}"), name)
