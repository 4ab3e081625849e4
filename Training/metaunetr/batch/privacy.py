"""What outputs say about patients: nothing, unless `--identifiers` is given.

Log lines, database, tables, pages, pictures and records are meant to be shown to others. They have

- nothing of what DICOM headers say about patient and examination. A DICOM series has an `id`, 12
  digits of the SHA-256 of its Series Instance UID: whoever has the series can find its line, and
  nobody can tell from the line whose it is;
- paths below the folder that all inputs have in common only, since the results lie in folders of
  the same names. Folders with names of patients should be renamed, or the cases be named in a list
  of inputs. Names of DICOM files are replaced by a hash: scanners put names of patients there.

With `--identifiers` paths are complete, and organs.csv and index.html name patient and
examination. Two outputs are exceptions: DICOM SEG and RTSTRUCT name the patient, as the standard
demands, and the JSON lines for programs have the paths of the inputs, so that they can be opened.
Messages of libraries are handled by `library_messages`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path

from metaunetr.errors import MetaUNETRError
from metaunetr.io import formats
from metaunetr.io.dicom.header import read_header
from metaunetr.io.dicom.zip_archive import dicom_files

IDENTIFIERS = {
    "patient_name": "PatientName", "patient_id": "PatientID", "study_date": "StudyDate",
    "accession_number": "AccessionNumber", "study_uid": "StudyInstanceUID",
    "series_uid": "SeriesInstanceUID",
}
NAMES = (  # of the patient, physicians and operators
    "PatientName", "OtherPatientNames", "ReferringPhysicianName", "PhysiciansOfRecord",
    "PerformingPhysicianName", "NameOfPhysiciansReadingStudy", "OperatorsName",
    "RequestingPhysician",
)
PERSONAL = (  # also ids, dates, places, and what technicians type
    *NAMES, *IDENTIFIERS.values(), "SeriesDate", "AcquisitionDate", "ContentDate",
    "InstitutionName", "InstitutionAddress", "StationName", "StudyDescription",
    "SeriesDescription", "PatientBirthDate", "OtherPatientIDs", "PatientAddress",
    "PatientTelephoneNumbers", "PatientComments", "StudyID", "RequestedProcedureDescription",
    "PerformedProcedureStepDescription",
)
MIN_LETTERS = 3  # of a word that could be a name
UID = re.compile(  # also a damaged one, but none of the standard, such as a transfer syntax
    r"(?<![\w.])(?!1\.2\.840\.10008\.)\d+(\.\w+){4,}")
COUNTER = re.compile(r"\d{1,5}")  # of slices; six digits may be a date
IMAGES = formats.LABELS + formats.ARCHIVE


def series_id(series: str) -> str:
    """12 hexadecimal digits for a Series Instance UID; "" for none."""
    return hashlib.sha256(series.encode()).hexdigest()[:12] if series else ""


def identity(path: Path, files: Sequence[Path]) -> dict[str, str]:
    """Patient and examination of a DICOM series: one text for each key of IDENTIFIERS.

    Args:
        path, files: as in `public_text`.
    """
    texts = header(_slices(path, files)[0], IDENTIFIERS.values())
    return {name: texts[tag] for name, tag in IDENTIFIERS.items()}


def public_path(path: Path, root: Path | None) -> Path:
    """A path relative to `root`, or its name if it is not below; DICOM files as a hash."""
    below = path.relative_to(root) if root and root in path.parents else Path(path.name)
    return below.with_name(_file_hash(path)) if _is_dicom(path) else below


def public_text(text: str, path: Path, files: Sequence[Path], public_input: str) -> str:
    """A message about an input as outputs may show it.

    Args:
        path: the input, a file or the folder of a series; of one of several in a .zip file, the
            path of its first slice, such as "study.zip/00003.dcm".
        files: all files of the input.
        public_input: what replaces `path`.
    """
    is_dicom = _is_dicom(files[0])
    words = (_file_names(files[0].parent, text) if is_dicom
             else dict.fromkeys(map(str, files), public_input))
    text = _replaced(text, words | {str(path): public_input}).replace(f"{path.parent}{os.sep}", "")
    is_dicom = is_dicom or formats.suffix_of(files[0], formats.ARCHIVE)
    return _without_patient(text, _slices(path, files)) if is_dicom else text


def _slices(path: Path, files: Sequence[Path]) -> Sequence[Path]:
    """The files whose headers are those of a series: `path` if they lie in a .zip file."""
    return (path,) if formats.suffix_of(files[0], formats.ARCHIVE) else files


def _is_dicom(path: Path) -> bool:
    """Whether it is a DICOM file, by its name: it may be missing or not be readable."""
    return not formats.suffix_of(path, IMAGES) and not os.path.isdir(path)


def _file_hash(path: Path) -> str:
    return f"DICOM file {hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]}"


def _file_names(folder: Path, text: str) -> dict[str, str]:
    """Replacements of the paths and names of the DICOM files in a folder that `text` names.

    Short numbers, such as "00012.dcm", need none: they count slices.
    """
    words = {}
    with suppress(OSError):
        named = (path for path in folder.iterdir() if path.name in text)
        for path in filter(_is_dicom, named):
            words[str(path)] = _file_hash(path)
            if not COUNTER.fullmatch(path.stem):
                words[path.name] = _file_hash(path)
    return words


def _without_patient(text: str, files: Sequence[Path]) -> str:
    """`text` without UIDs, and without what the first readable file says about its patient."""
    headers = (header(path, PERSONAL) for path in files)
    nothing = dict.fromkeys(PERSONAL, "")
    texts = next((texts for texts in headers if any(texts.values())), nothing)
    words = {word for tag in NAMES for word in re.split(r"[\s^=,\\]+", texts[tag])}
    words = {word for word in (*words, *texts.values()) if len(word) >= MIN_LETTERS}
    return _replaced(UID.sub("…", text), dict.fromkeys(words, "…"))


def _replaced(text: str, words: dict[str, str]) -> str:
    """`text` with whole words or paths replaced, the longest first."""
    longest = sorted(words, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in longest)
    return re.sub(pattern, lambda found: words[found[0]], text) if pattern else text


def header(path: Path, keywords: Iterable[str]) -> dict[str, str]:
    """Elements of a DICOM image as text; "" for those that are missing, or all of a damaged file.

    Args:
        path: a DICOM file, one in a .zip file, such as "study.zip/00003.dcm", or a .zip file, of
            which the first image is meant.
    """
    item = None
    with suppress(OSError, MetaUNETRError), closing(dicom_files(path)) as files:  # it may be gone
        headers = (read_header(file, keywords) for file in files)
        item = next(filter(None, headers), None)
    return {keyword: item.text(keyword) if item else "" for keyword in keywords}
