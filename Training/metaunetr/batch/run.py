"""A batch from start to end. A case that fails is reported, and the others go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path

from metaunetr import extras, io
from metaunetr.batch import case_steps
from metaunetr.batch.case import Case, make_cases
from metaunetr.batch.case_ledger import Ledger
from metaunetr.batch.case_record import CaseRecord
from metaunetr.batch.discover import discover
from metaunetr.batch.events import Event, cases_event, search_event
from metaunetr.batch.options import Options
from metaunetr.bundle import Bundle, find
from metaunetr.errors import InputError, MetaUNETRError, PackageError
from metaunetr.io import mesh
from metaunetr.io.atomic import discard_abandoned
from metaunetr.outputs import check_distinct, make_folder

MAX_KILLS = 3  # runs that were killed in a row while they worked on a case


def run(inputs: Iterable[Path], options: Options, report: Callable[[Event], None]) -> int:
    """Segment all CTs in files and folders; the model is loaded once.

    Args:
        inputs: files, folders, and lists of them, see `inputs`.
        report: called with every event, see `events`. An error that it raises ends the batch.

    Returns:
        the number of cases that failed.

    Raises:
        InputError: a list of inputs is invalid, there is no CT, or the model lacks an organ.
        BundleError, DeviceError: the model or the device cannot be used.
        OutputError: the output folder or the table cannot be written.
        PackageError: a package that the format of the labels or Dask needs is not installed.
    """
    started = time.perf_counter()
    inputs = list(inputs)
    bundle = find(options.model)
    bundle.channels(options.organs)
    _check(options)
    if options.table:
        check_distinct([io.prepare_file(options.table, (".csv",))], inputs)
    discovery = discover(inputs, options.output, options.all_series, options.identifiers,
                         lambda files, cts: report(search_event(files, cts)))
    cases = make_cases(discovery.found, options.output, options.suffixes[0], options.identifiers)
    report(cases_event(cases, discovery))
    for text in discovery.warnings:
        report({"event": "warning", "text": text})
    if not cases:
        raise InputError(f"No CT was found in the input ({len(discovery.left_out)} files or series "
                         "were left out); name NIfTI, NRRD, MetaImage or DICOM files, or folders "
                         "that hold them.")
    with closing(Ledger(cases, discovery, options.output, options.identifiers, report)) as ledger:
        busy = _work(options, bundle, ledger)
        if options.table:
            ledger.write_table(options.table)
    for text in ledger.warnings:
        report({"event": "warning", "text": text})
    ledger.summary(time.perf_counter() - started, busy)
    return ledger.counts["failed"]


def _check(options: Options) -> None:
    """Check what would fail in every case."""
    if options.scheduler or options.workers:
        _check_dask()
    for suffix in options.suffixes:
        io.check_labels(options.output / f"x{suffix}", None)
    if options.surfaces:
        mesh.check(options.output)
    make_folder(options.output)


def _check_dask() -> None:
    try:
        import distributed  # noqa: F401
    except ModuleNotFoundError as error:
        raise PackageError(
            extras.missing("A batch on Dask", error.name or "distributed", "cluster")) from None


def _work(options: Options, bundle: Bundle, ledger: Ledger) -> float | None:
    """Segment what is not finished; return the share of the time in which a case was segmented."""
    _remove_temporary_files(ledger.cases)
    waiting = [index for index in range(len(ledger.cases))
               if not (options.resume and _has_ended(index, options, bundle, ledger))]
    waiting.sort(key=ledger.kills)  # those during which runs were killed come last
    if not waiting:
        return None
    if options.scheduler or options.workers:
        from metaunetr.batch.cluster import Cluster

        try:
            return Cluster(waiting, options, bundle, ledger).run()
        finally:
            _remove_temporary_files(ledger.cases)  # workers may have been killed
    ledger.report({"event": "stage", "stage": "model"})
    from metaunetr.batch.pipeline import Pipeline  # torch, which takes seconds

    return Pipeline(waiting, options, bundle, ledger).run()


def _remove_temporary_files(cases: list[Case]) -> None:
    """Remove temporary files of processes that were killed."""
    for folder in {f for case in cases for f in (case.record.parent, case.surfaces)}:
        discard_abandoned(folder, now=0)


def _has_ended(index: int, options: Options, bundle: Bundle, ledger: Ledger) -> bool:
    """Whether a case is skipped or given up; enters it in the ledger."""
    case = ledger.cases[index]
    before = CaseRecord.read(case)
    with suppress(InputError):  # reading it will raise the same
        if before and before.is_current(case, case_steps.made_from(case, options, bundle)):
            ledger.skipped(index, before)
            return True
    if (kills := ledger.kills(index)) >= MAX_KILLS:
        ledger.reading(index)
        ledger.running(index)
        ledger.failed(index, MetaUNETRError(
            f"{case.input}: {kills} runs were killed while they worked on it, perhaps because the "
            "memory was full; without --resume it is tried again"))
        return True
    return False
