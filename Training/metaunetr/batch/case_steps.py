"""One case: read, segment, write; the same in the pipeline and on a cluster."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaunetr import __version__, io, library_messages
from metaunetr.batch.case import Case
from metaunetr.batch.case_record import (
    CaseRecord,
    input_state,
    keep_foreign_files,
    own_outputs,
    sha256_of,
)
from metaunetr.batch.options import Options
from metaunetr.batch.thumbnail import write_thumbnail
from metaunetr.bundle import Bundle
from metaunetr.errors import InputError, OutputError
from metaunetr.image import Image
from metaunetr.io import formats, mesh
from metaunetr.outputs import check_distinct, make_folder, together
from metaunetr.report import write_report
from metaunetr.result import Result

if TYPE_CHECKING:
    from metaunetr.engine import Segmenter

CARD = (  # entries of a model's card that determine the result, besides weights and calibration
    "labels", "architecture", "preprocessing", "smallest_window", "patch", "largest_window",
    "overlap", "precision",
)


@dataclass(frozen=True)
class Loaded:
    """A case with its image.

    Attributes:
        case: with the path of the labels in the format that the input allows.
        made_from: see `made_from`.
    """

    case: Case
    image: Image
    made_from: dict[str, Any]


def made_from(case: Case, options: Options, bundle: Bundle) -> dict[str, Any]:
    """All that determines the result of a case: equal if it would be the same.

    Raises:
        InputError: a file of the case is missing or cannot be read.
    """
    organs = options.organs
    return {
        "version": __version__,
        "input": input_state(case),
        "series": case.id,
        "model_sha256": bundle.sha256,
        "calibration": bundle.card.get("calibration"),
        "card": {key: bundle.card.get(key) for key in CARD},
        "organs": None if organs is None else sorted({organ.name for organ in organs}),
        "overlap": options.overlap,
        "precision": options.precision,
        "suffixes": list(options.suffixes),
        "seg_type": options.seg_type,
        "surfaces": options.surfaces,
        **({"report": True} if options.report else {}),  # not in records before version 0.2
    }


def read(case: Case, options: Options, bundle: Bundle) -> Loaded:
    """Read a case, after a check that its results can be written.

    Raises:
        InputError: the input is no CT, or cannot be read.
        OutputError: the results cannot be written.
    """
    state = made_from(case, options, bundle)  # first: if a file changes now, --resume redoes it
    make_folder(case.record.parent)
    outputs = [io.prepare_output(case.labels), io.prepare_file(case.record),
               io.prepare_file(case.thumbnail)]
    if options.report:
        outputs.append(io.prepare_file(case.report))
    check_distinct(outputs, case.files)
    with library_messages.filtered_by(case.public_text):
        image = io.read_image(case.input, (*case.files, *case.beside))
        labels, warnings = _labels_path(case, image, options)
    if labels != case.labels:
        check_distinct([io.prepare_output(labels)], case.files)
    image = replace(image, warnings=(*image.warnings, *warnings))
    return Loaded(replace(case, labels=labels), image, state)


def _labels_path(case: Case, image: Image, options: Options) -> tuple[Path, tuple[str, ...]]:
    """The path of the labels in the first format that the input allows, and warnings.

    Raises:
        InputError, OutputError: the input allows none of them, for the reason of the first.
    """
    refused = []
    for suffix in options.suffixes:
        labels = case.with_suffix(suffix)
        try:
            warnings = io.check_labels(labels, image)
        except (InputError, OutputError) as error:
            refused.append(error)
        else:
            return labels, (*(case.public_text(str(error)) for error in refused), *warnings)
    raise refused[0]


def segment(
    engine: Segmenter, loaded: Loaded, options: Options, report: Callable[[dict[str, Any]], None]
) -> Result:
    """The organs of a case."""
    return engine.segment(loaded.image, options.organs, report=report)


def write(loaded: Loaded, result: Result, options: Options) -> CaseRecord:
    """Write the results of a case. If the process is killed meanwhile, the case is unfinished.

    Files of others in their places are kept under other names. Without an organ, a DICOM format is
    replaced by the next one of another kind, or by .seg.nrrd.

    Raises:
        OutputError: a file cannot be written; then none is.
    """
    case = loaded.case
    warnings = tuple(text for text in result.warnings if text not in result.device_warnings)
    if not io.can_hold(case.labels, result):
        case = replace(case, labels=next(filter(
            lambda path: io.can_hold(path, result),
            map(case.with_suffix, (*options.suffixes, *formats.SEGMENTATION)))))
        warnings = (*warnings, "No organ was found, and a DICOM object cannot be empty: the labels "
                               "are in another format.")
    before, sizes, digests = own_outputs(case) or {}, {}, {}

    def add(path: Path, temporary: Path) -> None:
        name = path.relative_to(case.record.parent).as_posix()
        sizes[name], digests[name] = temporary.stat().st_size, sha256_of(temporary)

    with together() as place:
        record_path = place(case.record)  # first here, last to take its place
        temporary = place(case.labels)
        with library_messages.filtered_by(case.public_text):
            io.write_labels(temporary, result, options.seg_type)
        add(case.labels, temporary)
        temporary = place(case.thumbnail)
        write_thumbnail(temporary, result, loaded.image)
        add(case.thumbnail, temporary)
        if options.report:
            temporary = place(case.report)
            shown = replace(loaded.image, source=Path(case.public_input))
            write_report(temporary, shown, result)
            add(case.report, temporary)
        for item in result.organs if options.surfaces else ():
            if item.voxels:
                path = case.surfaces / (item.organ.key + options.surfaces)
                make_folder(path.parent)
                temporary = place(path)
                mask = result.labels.array == item.organ.number
                mesh.write_surface(temporary, mask, result.labels.grid)
                add(path, temporary)
        record = CaseRecord(case.public_input, loaded.made_from, sizes, result.organs,
                            result.record, digests, warnings)
        io.write_text(record_path, record.text())
        kept = keep_foreign_files(case, record)
    _remove_stale(case, before, record)
    return replace(record, kept=kept)


def _remove_stale(case: Case, before: dict[Path, set[str]], now: CaseRecord) -> None:
    """Remove files of an earlier result that the new one does not have."""
    for path in before.keys() - now.sizes(case).keys():
        if sha256_of(path) in before[path]:
            with suppress(OSError):
                path.unlink()
    with suppress(OSError):  # it is not empty
        case.surfaces.rmdir()
