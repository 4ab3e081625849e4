"""The options of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from metaunetr.organs import Organ


@dataclass(frozen=True)
class Options:
    """The options of a batch.

    Attributes:
        output: the folder for the results.
        suffixes: of the labels: ".seg.nrrd", ".nii.gz", ".dcm" or ".rtstruct.dcm"; the first that
            the input of a case allows is used.
        seg_type: see `write_labels`.
        organs, model, device, overlap, precision: see `Segmenter`.
        surfaces: ".stl" or ".obj"; "" for none.
        report: write a report page for each case.
        table: path of a further CSV file with the statistics of all cases.
        resume: skip cases that are finished and were made from the same input, model and options.
        all_series: segment DICOM series whatever their kind and orientation.
        identifiers: whether outputs may name patients, see `privacy`.
        scheduler: address of a Dask scheduler whose workers segment the cases; "" for none.
        workers: number of processes of this machine that segment the cases; 0 for this process.
    """

    output: Path
    suffixes: tuple[str, ...] = (".seg.nrrd",)
    seg_type: str = "binary"
    organs: list[Organ] | None = None
    model: str | None = None
    device: str = "auto"
    overlap: float | None = None
    precision: str = "auto"
    surfaces: str = ""
    report: bool = False
    table: Path | None = None
    resume: bool = False
    all_series: bool = False
    identifiers: bool = False
    scheduler: str = ""
    workers: int = 0
