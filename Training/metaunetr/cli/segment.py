"""`metaunetr segment`: one CT in, labels, statistics and report out."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from metaunetr import bundle
from metaunetr.cli import engine
from metaunetr.cli.arguments import Organs, add_command, number
from metaunetr.image import Image
from metaunetr.organs import Organ
from metaunetr.outputs import check_distinct, make_folder, together
from metaunetr.result import DISCLAIMER, Result
from metaunetr.text import millilitres


def add_to(commands) -> None:
    parser = add_command(
        commands, "segment", "segment the organs of a CT",
        "Segments the organs of one CT and writes the labels. Options add statistics, a report "
        f"page and a record. {DISCLAIMER}",
        "metaunetr segment ct.nii.gz -o organs.seg.nrrd --report report.html",
        "metaunetr segment ct.nii.gz --organs liver spleen kidneys -o organs.nii.gz "
        "--statistics organs.csv --split masks --label-file labels.txt",
        "metaunetr segment dicom_folder -o organs.dcm",
    )
    parser.add_argument("input", metavar="INPUT", type=Path,
                        help="NIfTI, NRRD or MetaImage file, or the folder or .zip file of a DICOM "
                             "series")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE",
                        help="labels (required): .seg.nrrd (3D Slicer), .nii.gz, .nii, .nrrd, "
                             ".mha; for DICOM input also .dcm (DICOM SEG) and .rtstruct.dcm "
                             "(RTSTRUCT)")
    parser.add_argument("--organs", action=Organs,
                        help="segment only these, such as: liver spleen kidneys (default: all "
                             "organs of the model)")
    engine.add_options(parser)
    engine.add_seg_type(parser)
    parser.add_argument("--split", type=Path, metavar="FOLDER",
                        help="also write a mask of each organ, such as FOLDER/liver.nii.gz, with 1 "
                             "inside and 0 outside (default: not written)")
    parser.add_argument("--label-file", type=Path, metavar="FILE.txt",
                        help="write the names and colours of the labels for ITK-SNAP (default: "
                             "not written)")
    parser.add_argument("--largest-component", action="store_true",
                        help="keep only the largest connected part of every organ")
    parser.add_argument("--statistics", type=Path, metavar="FILE.csv",
                        help="write volume (mL), HU, confidence and flags of every organ "
                             "(default: not written)")
    parser.add_argument("--report", type=Path, metavar="FILE.html",
                        help="write a page with pictures, statistics, flags and record (default: "
                             "not written)")
    parser.add_argument("--record", type=Path, metavar="FILE.json",
                        help="write what is needed to repeat the run: versions, model, device, "
                             "options (default: not written)")
    parser.add_argument("--uncertainty", type=Path, metavar="FILE",
                        help="write an image of the uncertainty in percent: .nii.gz, .nii, "
                             ".nrrd, .mha (default: not written)")
    parser.add_argument("--network-seconds", type=number(float, 0, 1e6), metavar="S",
                        help="network_s of `metaunetr estimate` for this run, so that the speed "
                             "is not measured again (default: it is measured)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    started = time.perf_counter()
    engine.use_threads(args.threads)
    report = engine.reporter(args)
    try:
        result = _segment(args, report)
    finally:
        report.close()
    seconds = time.perf_counter() - started
    if args.json_progress:
        report({"event": "result", "output": str(args.output), "seconds": round(seconds, 2),
                "organs": [found.to_json() for found in result.organs], "record": result.record})
    else:
        print(f"{table(result)}\n\n{args.output} written in {seconds:.1f} s. {DISCLAIMER}")


def _segment(args: argparse.Namespace, report) -> Result:
    model = bundle.find(args.model)
    masks = _masks(args.split, args.organs or model.classes)
    image = engine.read_while_torch_loads(lambda: _read(args, masks), report)
    from metaunetr.engine import Segmenter

    segmenter = Segmenter(model, args.device, args.overlap, args.precision)
    result = segmenter.segment(image, args.organs, uncertainty=args.uncertainty is not None,
                               largest_component=args.largest_component, report=report,
                               network_s=args.network_seconds)
    report({"event": "stage", "stage": "write"})
    _write(args, image, result, masks)
    return result


def _masks(folder: Path | None, organs: Iterable[Organ]) -> dict[Path, Organ]:
    """The files of --split."""
    return {folder / f"{organ.key}.nii.gz": organ for organ in organs} if folder else {}


def _read(args: argparse.Namespace, masks: dict[Path, Organ]):
    """Read the input, after a check that the outputs can be written."""
    from metaunetr import io
    from metaunetr.io.formats import WRITABLE_IMAGES, WRITABLE_LABELS, suffix_of

    outputs = [path for path in (args.output, args.statistics, args.report, args.record,
                                 args.uncertainty, args.label_file, *masks) if path is not None]
    check_distinct(outputs, [args.input])
    if args.split:
        make_folder(args.split)
    io.prepare_output(args.output)
    engine.check_seg_type(args, suffix_of(args.output, WRITABLE_LABELS))
    for path, suffixes in ((args.statistics, (".csv",)), (args.report, (".html", ".htm")),
                           (args.record, (".json",)), (args.uncertainty, WRITABLE_IMAGES),
                           (args.label_file, (".txt", ".label"))):
        if path:
            io.prepare_file(path, suffixes)
    for path in masks:
        io.prepare_file(path)
    image = io.read_image(args.input)
    check_distinct(outputs, image.dicom_files)
    warnings = io.check_labels(args.output, image)
    return replace(image, warnings=(*image.warnings, *warnings))


def _write(args: argparse.Namespace, image, result: Result, masks: dict[Path, Organ]) -> None:
    from metaunetr import io
    from metaunetr.io.itksnap import write_label_file
    from metaunetr.report import write_report, write_statistics

    possible = io.can_hold(args.output, result)
    with together() as place:
        if possible:
            io.write_labels(place(args.output), result, args.seg_type)
        if args.uncertainty:
            io.write_image(place(args.uncertainty), result.uncertainty)
        if args.statistics:
            write_statistics(place(args.statistics), result)
        if args.report:
            write_report(place(args.report), image, result)
        if args.record:
            record = json.dumps(result.record, indent=1, ensure_ascii=False)
            io.write_text(place(args.record), record)
        if args.label_file:
            write_label_file(place(args.label_file), [found.organ for found in result.organs])
        for path, organ in masks.items():
            mask = result.labels.array == organ.number
            io.write_image(place(path), Image(mask, result.labels.grid))
    if not possible:
        io.write_labels(args.output, result, args.seg_type)  # raises an error with the reason


def table(result: Result) -> str:
    """The organs as an aligned table for a terminal."""
    lines = [f"{'organ':<26}{'volume':>11}{'mean HU':>10}{'confidence':>12}  flags"]
    for found in result.organs:
        if found.voxels:
            numbers = (f"{millilitres(found.volume_ml):>8} mL{found.hu_mean:>10.0f}"
                       f"{found.confidence:>12.2f}")
        else:
            numbers = f"{'–':>11}{'–':>10}{'–':>12}"
        lines.append(f"{found.organ.name:<26}{numbers}  {'; '.join(found.flags)}".rstrip())
    return "\n".join(lines)
