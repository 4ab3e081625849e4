"""`metaunetr models`: the installed models, as their cards describe them."""

from __future__ import annotations

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

from metaunetr import bundle
from metaunetr.cli.arguments import add_command
from metaunetr.errors import BundleError
from metaunetr.result import DISCLAIMER

WIDTH = 100  # characters of a line


def add_to(commands) -> None:
    parser = add_command(
        commands, "models", "list the models: organs, spacing, accuracy, licence",
        "Lists the models that --model accepts by name: those that come with MetaUNETR and those "
        "in your own folder (METAUNETR_MODELS, or MetaUNETR/Models in your data folder). "
        "`metaunetr mixers` lists the token mixers for networks to be trained.",
        "metaunetr models",
        "metaunetr models --json",
    )
    parser.add_argument("--json", action="store_true",
                        help="print a list of JSON objects instead of text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    found = [describe(name, folder) for name, folder in bundle.available().items()]
    if args.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    elif found:
        print("\n\n".join(map(text, found)))
    else:
        print(f"No model was found; put one into {bundle.user_folder()}.")


def describe(name: str, folder: Path) -> dict[str, Any]:
    """The content of the card in `folder`, or why it cannot be used (`error`)."""
    known = {"name": name, "folder": str(folder), "default": name == bundle.DEFAULT_MODEL}
    try:
        model = bundle.load(folder)
    except BundleError as error:
        return known | {"error": str(error)}
    return known | {
        "title": model.card.get("title") or model.card.get("task", ""),
        "organs": [organ.name for organ in model.classes],
        "spacing_mm": list(model.preprocessing.spacing),
        "dice": model.dice,
        "weights_licence": model.card.get("weights_licence", ""),
        "data_licence": model.card.get("data_licence", ""),
        "intended_use": model.card.get("intended_use", DISCLAIMER),
        "sha256": model.sha256,
    }


def text(model: dict[str, Any]) -> str:
    """The printed lines."""
    head = model["name"] + (" (default)" if model["default"] else "")
    if "error" in model:
        return f"{head}: cannot be used: {model['error']}"
    dice = [f"{data}: " + ", ".join(f"{organ} {value:.2f}" for organ, value in row.items())
            for data, row in model["dice"].items()]
    rows = [
        ("organs", ", ".join(model["organs"])),
        ("spacing", " × ".join(f"{value:g}" for value in model["spacing_mm"]) + " mm"),
        *zip(["Dice", *[""] * len(dice)], dice or ["not measured"], strict=False),
        ("licence", model["weights_licence"] or "not stated"),
        ("data", model["data_licence"] or "not stated"),
        ("use", model["intended_use"]),
        ("folder", model["folder"]),
    ]
    lines = [textwrap.fill(value, WIDTH, initial_indent=f"  {name:<9}", subsequent_indent=" " * 11,
                           break_long_words=False, break_on_hyphens=False)
             for name, value in rows]
    return "\n".join([f"{head}: {model['title']}", *lines])
