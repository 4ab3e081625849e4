"""Models that the user has adapted: their gain, and rename, export, delete."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaunetr import bundle
from metaunetr.errors import BundleError
from metaunetr.io.atomic import write_text
from metaunetr_training.export.target import new_folder
from MetaUNETRSegmentLib.i18n import tr as _

NAME = re.compile(r"\w[\w. -]*")


@dataclass(frozen=True)
class Gain:
    """Mean scores of an organ in `n` held-out CTs, before and after; of all organs for ""."""

    organ: str
    n: int
    dice: tuple[float, float]
    nsd: tuple[float, float]


def adapted() -> list[str]:
    """Names of the adapted models in the user's folder."""
    found = []
    for name, folder in bundle.available().items():
        try:
            if folder.parent == bundle.user_folder() and gains(bundle.load(folder).card):
                found.append(name)
        except BundleError:
            continue
    return found


def gains(card: dict[str, Any]) -> list[Gain]:
    """The gain of each organ, and last of all organs; [] if the model was not adapted.

    Args:
        card: a card, or a result of `metaunetr-training adapt` as its entry `adapted`.
    """
    try:
        values = card["adapted"]
        return [Gain(organ, int(line["n"]), _pair(line["dice"]), _pair(line["nsd_2mm"]))
                for organ, line in (*values["organs"].items(), ("", values["mean"]))]
    except (KeyError, TypeError, ValueError, AttributeError):  # cards are untrusted
        return []


def freeName(start: str) -> str:
    """A name for a new model, as in abdomen13-2mm-adapted-2."""
    taken, number = bundle.available(), 1
    name = base = f"{start}-adapted"
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def rename(name: str, new: str) -> None:
    """Renames a model.

    Raises:
        ValueError: the name is taken, or no name of a folder.
        OSError, OutputError: the files cannot be changed.
    """
    if not NAME.fullmatch(new):
        raise ValueError(_("A name may have letters, digits, spaces, dots and dashes: {name}")
                         .format(name=new))
    if new in bundle.available() or (bundle.user_folder() / new).exists():
        raise ValueError(_("Another model is called {name}; choose another name.")
                         .format(name=new))
    folder = bundle.user_folder() / name
    card = bundle.load(folder).card | {"name": new}
    write_text(folder / bundle.CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    folder.rename(folder.with_name(new))


def export(name: str, folder: Path) -> Path:
    """Copies a model into a folder, complete or not at all; returns its place.

    Raises:
        OutputError: there is something of this name, or the folder cannot be written.
    """
    with new_folder(Path(folder) / name) as place:
        shutil.copytree(bundle.user_folder() / name, place, dirs_exist_ok=True)
    return Path(folder) / name


def delete(name: str) -> None:
    """Deletes a model of the user's folder.

    Raises:
        OSError: a file cannot be deleted.
    """
    shutil.rmtree(bundle.user_folder() / name)


def _pair(values) -> tuple[float, float]:
    before, after = map(float, values)
    return before, after
