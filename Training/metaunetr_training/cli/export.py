"""`metaunetr-training export`: a run as a model, and a model for MONAI and ONNX."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from metaunetr.cli.arguments import add_command
from metaunetr.errors import InputError


def add_to(commands) -> None:
    parser = add_command(
        commands, "export", "turn a run into a model; a model into a MONAI bundle or ONNX file",
        "Turns a training run into a model, with its accuracy where `evaluate` has measured it, "
        "and tries the model in a new process before it is written. Existing files are never "
        "replaced.",
        "metaunetr-training export runs/mine -o models/mine",
        "metaunetr-training export abdomen13-2mm --monai monai_bundle --onnx abdomen13.onnx",
    )
    parser.add_argument("source", metavar="RUN|MODEL",
                        help="folder of a run; for --monai and --onnx alone, also a model by name "
                             "or folder")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR",
                        help="write the model into this new folder, whose name becomes the model's "
                             "(default: not written)")
    parser.add_argument("--title", default="", metavar="TEXT",
                        help="title that people see (default: organs and spacing)")
    parser.add_argument("--data-licence", metavar="TEXT",
                        help="licence of the training data, and what it allows (default: unknown)")
    parser.add_argument("--weights-licence", metavar="TEXT",
                        help="licence of the model (default: not stated)")
    parser.add_argument("--intended-use", metavar="TEXT",
                        help="what the model may be used for (default: research only)")
    parser.add_argument("--check", type=Path, metavar="CT",
                        help="CT that the model is tried on (default: a phantom)")
    parser.add_argument("--monai", type=Path, metavar="DIR",
                        help="write a MONAI bundle into this new folder (default: not written)")
    parser.add_argument("--onnx", type=Path, metavar="FILE.onnx",
                        help="write the network for one window and compare it with PyTorch "
                             "(default: not written)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from metaunetr import extras
    from metaunetr.outputs import check_distinct
    from metaunetr_training.export.target import refuse_existing

    outputs = [path for path in (args.output, args.monai, args.onnx) if path is not None]
    if not outputs:
        raise InputError("nothing to export: give -o DIR, --monai DIR or --onnx FILE")
    if args.monai:
        extras.require("monai")
    if args.onnx:
        extras.require("onnx", "onnxscript", "onnxruntime")
    check_distinct(outputs, [args.source])
    for path in outputs:
        refuse_existing(path)
    model = _model(args)
    if args.monai:
        from metaunetr_training.export import monai_bundle

        print(f"{monai_bundle.export(model, args.monai)}: MONAI bundle of {model.name}")
    if args.onnx:
        from metaunetr_training.export import onnx

        found = onnx.export(model, args.onnx)
        window = " × ".join(map(str, model.patch))
        print(f"{args.onnx}: network of {model.name} for windows of {window}; scores differ from "
              f"PyTorch's by at most {found.difference:.1e} of {found.largest:.1f}, the class of "
              f"{found.other_class:.4%} of the voxels")


def _model(args: argparse.Namespace):
    """The bundle to export; with -o, it is made from the run first."""
    from metaunetr import bundle

    if args.output is None:
        if (Path(args.source) / "run.json").exists():
            raise InputError(f"{args.source}: is a run; make a model of it first: -o DIR")
        model = bundle.find(args.source)
        _check_onnx(args, model.card["architecture"]["mixer"])
        return model
    from metaunetr_training.export.bundle import CardTexts, export
    from metaunetr_training.training.run import Run

    source = Run.open(Path(args.source))
    _check_onnx(args, source.recipe.network.mixer)
    given = {key: getattr(args, key)
             for key in ("title", "data_licence", "weights_licence", "intended_use")
             if getattr(args, key)}
    if not source.record.get("finished"):
        print(f"{source.folder}: training has not ended; the model is that of its last checkpoint",
              file=sys.stderr)
    model = export(source, args.output, CardTexts(**given), args.check,
                   lambda text: print(text, file=sys.stderr, flush=True))
    print(f"{args.output}: model {model.name}, used with --model {args.output}")
    return model


def _check_onnx(args: argparse.Namespace, mixer: str) -> None:
    """Checks the mixer before anything is written."""
    if args.onnx:
        from metaunetr_training.export.onnx import require_exportable

        require_exportable(mixer)
