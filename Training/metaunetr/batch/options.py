"""What a batch is to make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from metaunetr.organs import Organ


@dataclass(frozen=True)
class Options:
    """What a batch is to make.

    Attributes:
        output: the folder for the results.
        suffixes: of the labels: ".seg.nrrd", ".nii.gz", ".dcm" or ".rtstruct.dcm"; each case gets
            the first that its input allows.
        seg_type: see `write_labels`.
        organs, model, device, overlap, precision: see `Segmenter`.
        surfaces: ".stl" or ".obj"; "" for none.
        table: CSV with the statistics of all cases.
        resume: leave alone what is finished and still as wanted.
        all_series: segment DICOM series whatever their kind and orientation.
        identifiers: whether patients may be named, see `privacy`.
        scheduler: address of a Dask scheduler, whose workers do the work; "" for none.
        workers: processes of this machine that do the work; 0 for this one alone.
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
    table: Path | None = None
    resume: bool = False
    all_series: bool = False
    identifiers: bool = False
    scheduler: str = ""
    workers: int = 0
