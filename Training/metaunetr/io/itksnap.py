"""Label description files of ITK-SNAP: the names and colours of the numbers in a label map.

In ITK-SNAP: Segmentation › Import Label Descriptions. Its reader (`ColorLabelTable::LoadFromFile`)
expects in each line number, red, green, blue, opacity from 0 to 1, two flags for visibility, and
the name in quotes; lines with # are comments.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from metaunetr.io.atomic import write_text
from metaunetr.organs import Organ

HEADER = """\
################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
################################################
    0     0    0    0        0  0  0    "Clear Label"
"""


def write_label_file(path: Path, organs: Iterable[Organ]) -> None:
    """Write the numbers, colours and names of `organs`.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    lines = (f"{organ.number:>5}   {red:>3}  {green:>3}  {blue:>3}        1  1  1    "
             f'"{organ.name}"\n'
             for organ in organs for red, green, blue in [organ.colour])
    write_text(path, HEADER + "".join(lines))
