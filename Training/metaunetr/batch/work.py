"""One case: read, segment, write. The same on one machine and on many."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaunetr import __version__, io, library_messages
from metaunetr.batch.case import Case
from metaunetr.batch.finished import Finished, input_state, ours, set_aside, sha256_of
from metaunetr.batch.options import Options
from metaunetr.batch.thumbnail import write_thumbnail
from metaunetr.bundle import Bundle
from metaunetr.errors import InputError, OutputError
from metaunetr.image import Image
from metaunetr.io import mesh
from metaunetr.outputs import check_distinct, make_folder, together
from metaunetr.result import Result

if TYPE_CHECKING:
    from metaunetr.engine import Segmenter


@dataclass(frozen=True)
class Loaded:
    """A case with its image, and all that decides on the result."""

    case: Case
    image: Image
    made_from: dict[str, Any]


def made_from(case: Case, options: Options, bundle: Bundle) -> dict[str, Any]:
    """All that decides on the result of a case; equal when it would be the same.

    Raises:
        InputError: a file of the case is gone or may not be read.
    """
    organs = options.organs
    return {
        "version": __version__,
        "input": input_state(case),
        "series": case.id,
        "model_sha256": bundle.sha256,
        "calibration": bundle.card.get("calibration"),
        "organs": None if organs is None else sorted({organ.name for organ in organs}),
        "overlap": options.overlap,
        "precision": options.precision,
        "suffixes": list(options.suffixes),
        "seg_type": options.seg_type,
        "surfaces": options.surfaces,
    }


def read(case: Case, options: Options, bundle: Bundle) -> Loaded:
    """The image of a case, once it is sure that its results can be written.

    Raises:
        InputError: the input is no CT that can be read.
        OutputError: the results cannot be written.
    """
    facts = made_from(case, options, bundle)  # before reading: what changes now is redone next time
    make_folder(case.record.parent)
    outputs = [io.prepare_output(case.labels), io.prepare_file(case.record),
               io.prepare_file(case.thumbnail)]
    check_distinct(outputs, case.files)
    with library_messages.filtered_by(case.tell):
        image = io.read_image(case.input)
        labels, lacks = _possible(case, image, options)
    if labels != case.labels:
        check_distinct([io.prepare_output(labels)], case.files)
    image = replace(image, warnings=(*image.warnings, *lacks))
    return Loaded(replace(case, labels=labels), image, facts)


def _possible(case: Case, image: Image, options: Options) -> tuple[Path, tuple[str, ...]]:
    """The file for labels in the first of the formats that the input allows, and warnings.

    Raises:
        OutputError: the input allows none of them; the message is that of the first.
    """
    refused = []
    for suffix in options.suffixes:
        labels = case.labels_as(suffix)
        try:
            lacks = io.check_labels(labels, image)
        except (InputError, OutputError) as error:
            refused.append(error)
        else:
            return labels, (*(case.tell(str(error)) for error in refused), *lacks)
    raise refused[0]


def segment(
    engine: Segmenter, loaded: Loaded, options: Options, report: Callable[[dict[str, Any]], None]
) -> Result:
    """The organs of a case."""
    return engine.segment(loaded.image, options.organs, report=report)


def write(loaded: Loaded, result: Result, options: Options) -> Finished:
    """Writes the results of a case; killed at any moment, it is not taken for finished.

    Files in their places that are not ours are kept under other names.

    Raises:
        OutputError: a file cannot be written; then none is.
    """
    case = loaded.case
    before, sizes, digests = ours(case) or {}, {}, {}

    def measured(path: Path, temporary: Path) -> None:
        name = path.relative_to(case.record.parent).as_posix()
        sizes[name], digests[name] = temporary.stat().st_size, sha256_of(temporary)

    with together() as place:
        record = place(case.record)  # the first here is the last to take its place
        temporary = place(case.labels)
        with library_messages.filtered_by(case.tell):
            io.write_labels(temporary, result, options.seg_type)
        measured(case.labels, temporary)
        temporary = place(case.thumbnail)
        write_thumbnail(temporary, result, loaded.image)
        measured(case.thumbnail, temporary)
        for item in result.organs if options.surfaces else ():
            if item.voxels:
                path = case.surfaces / (item.organ.key + options.surfaces)
                make_folder(path.parent)
                temporary = place(path)
                mask = result.labels.array == item.organ.number
                mesh.write_surface(temporary, mask, result.labels.grid)
                measured(path, temporary)
        finished = Finished(case.told, loaded.made_from, sizes, result.organs,
                            result.record, digests, loaded.image.warnings)
        io.write_text(record, finished.text())
        kept = set_aside(case, finished)
    _remove_stale(case, before, finished)
    return replace(finished, kept=kept)


def _remove_stale(case: Case, before: dict[Path, set[str]], now: Finished) -> None:
    """Files of an earlier result that the new one does not have."""
    for path in before.keys() - now.sizes(case).keys():
        if sha256_of(path) in before[path]:
            with suppress(OSError):
                path.unlink()
    with suppress(OSError):  # unless it has something in it
        case.surfaces.rmdir()
