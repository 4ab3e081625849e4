"""Reading a CT series from a folder of DICOM files.

    header           the elements of one file
    element_checks   checks of those that HU are computed from
    folder_scan      the headers of a folder → its volumes
    missing_slices   warnings about slices that may be missing
    arrange          the order of the slices, and their grid
    multiframe       the frames of enhanced multi-frame CT
    pixels           stored values → HU
    series           all of these, one after the other
    zip_archive      the same for a .zip file
"""

from metaunetr.io.dicom.folder_scan import FolderScan, scan_folder
from metaunetr.io.dicom.header import Slice, is_ct, is_dicom, read_header
from metaunetr.io.dicom.series import missing_ends, read_series, read_slice
from metaunetr.io.dicom.zip_archive import (
    Unpacked,
    dicom_files,
    holds_dicom,
    read_archive,
    split_path,
)

__all__ = [
    "FolderScan", "Slice", "Unpacked", "dicom_files", "holds_dicom", "is_ct", "is_dicom",
    "missing_ends", "read_archive", "read_header", "read_series", "read_slice", "scan_folder",
    "split_path",
]
