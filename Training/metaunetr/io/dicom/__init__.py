"""Reading a CT series from a folder of DICOM files.

header: the elements of one file. valid: checks of those that HU are computed from. scan: the series
of a folder. ends: warnings about missing slices. arrange: the grid of the slices. frames: enhanced
multi-frame CT. pixels: stored values to HU. series: all of these, one after the other. archive: the
same for a .zip file.
"""

from metaunetr.io.dicom.archive import (
    Unpacked,
    first_file,
    holds_dicom,
    read_archive,
    split_path,
)
from metaunetr.io.dicom.header import Slice, is_ct, is_dicom, read_header
from metaunetr.io.dicom.scan import scan
from metaunetr.io.dicom.series import missing_ends, read_series

__all__ = [
    "Slice", "Unpacked", "first_file", "holds_dicom", "is_ct", "is_dicom", "missing_ends",
    "read_archive", "read_header", "read_series", "scan", "split_path",
]
