"""What a run tells about patients: nothing, unless `--identifiers` asks for it.

Log lines, manifest, tables, page, thumbnails and records are meant to be shown around. They tell

- of what DICOM headers say about the patient and the examination: nothing. A series has an `id`,
  12 digits of the SHA-256 of its Series Instance UID: who has the series finds its line, and
  nobody learns from it whose it is;
- of paths: what lies below the folder that all inputs have in common, since the results lie in
  folders of the same names. Whoever has patients' names there should rename them, or name the
  cases in a list of inputs. Names of DICOM files, in which scanners put names, are hashed too.

With `--identifiers` paths are complete, and organs.csv and index.html name patient and
examination. Two things are outside these rules: DICOM SEG and RTSTRUCT carry the patient, as the
standard demands, and the JSON lines for programs tell the paths of inputs, so that they can be
opened. What libraries say is in `library_messages`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from metaunetr.errors import MetaUNETRError
from metaunetr.io import formats
from metaunetr.io.dicom.archive import first_file
from metaunetr.io.dicom.header import read_header

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
SHORTEST = 3  # letters of a word that could be a name
IMAGES = formats.NIFTI + formats.NRRD + formats.META + formats.SEGMENTATION + formats.ARCHIVE


def id_of(series: str) -> str:
    """12 hexadecimal digits for a Series Instance UID; "" for none."""
    return hashlib.sha256(series.encode()).hexdigest()[:12] if series else ""


def identity(path: Path) -> dict[str, str]:
    """Patient and examination of a DICOM file, by the names of IDENTIFIERS."""
    texts = header(path, IDENTIFIERS.values())
    return {name: texts[tag] for name, tag in IDENTIFIERS.items()}


def place_of(path: Path, root: Path | None) -> Path:
    """A path below `root`, or what is left of it without its folders; DICOM files by a hash."""
    below = path.relative_to(root) if root and root in path.parents else Path(path.name)
    return below.with_name(_hidden(path)) if _is_dicom(path) else below


def message(text: str, path: Path, files: Sequence[Path], told: str) -> str:
    """A message about an input as it may be shown around.

    Args:
        path: the input, a file or the folder of a series; `told` how it is called.
        files: all that it consists of.
    """
    is_dicom = _is_dicom(files[0])
    words = _slices(files[0].parent, text) if is_dicom else {}
    text = _replaced(text, words | {str(path): told}).replace(f"{path.parent}{os.sep}", "")
    is_dicom = is_dicom or formats.suffix_of(files[0], formats.ARCHIVE)
    return _without_patient(text, files) if is_dicom else text


def _is_dicom(path: Path) -> bool:
    """By its name: it may be gone, or not be readable."""
    return not formats.suffix_of(path, IMAGES) and not os.path.isdir(path)


def _hidden(path: Path) -> str:
    return f"DICOM file {hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]}"


def _slices(folder: Path, text: str) -> dict[str, str]:
    """What is said instead of the paths, and of names with letters, of the files in a folder.

    Of those that `text` tells of; a folder may hold 50,000.
    """
    words = {}
    with suppress(OSError):
        told = (path for path in folder.iterdir() if path.name in text)
        for path in filter(_is_dicom, told):
            words[str(path)] = _hidden(path)
            if re.search(rf"[^\W\d_]{{{SHORTEST}}}", path.stem):
                words[path.name] = _hidden(path)
    return words


def _without_patient(text: str, files: Sequence[Path]) -> str:
    """`text` without what the first of these DICOM files that can be read says about its patient.

    A message about a series may quote any of its slices.
    """
    headers = (header(path, PERSONAL) for path in files)
    nothing = dict.fromkeys(PERSONAL, "")
    texts = next((texts for texts in headers if any(texts.values())), nothing)
    words = {word for tag in NAMES for word in re.split(r"[\s^=,\\]+", texts[tag])}
    words = {word for word in (*words, *texts.values()) if len(word) >= SHORTEST}
    return _replaced(text, dict.fromkeys(words, "…"))


def _replaced(text: str, words: dict[str, str]) -> str:
    """`text` with whole words, or whole paths, replaced; the longest first."""
    longest = sorted(words, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in longest)
    return re.sub(pattern, lambda found: words[found[0]], text) if pattern else text


def header(path: Path, keywords: Iterable[str]) -> dict[str, str]:
    """Elements of a DICOM file, or of the first in a .zip file, as text.

    "" for those that are missing, or all of a damaged file.
    """
    item = None
    with suppress(OSError, MetaUNETRError):  # it may be gone
        if formats.suffix_of(path, formats.ARCHIVE):
            with first_file(path) as file:
                item = read_header(file, keywords) if file else None
        else:
            item = read_header(path, keywords)
    return {keyword: item.text(keyword) if item else "" for keyword in keywords}
