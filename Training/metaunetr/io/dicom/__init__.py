"""Folders of DICOM files: which series they hold, and a CT series as a volume.

header: what one file says. valid: whether HU can be computed from it. scan: which files belong
together. ends: what may be missing. arrange: the grid that slices form. frames: enhanced
multi-frame CT. pixels: stored values to HU. series: all of it, one after the other. archive: the
same of a .zip file.
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
