"""The German and French texts of the module belong to texts that it still has."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

MODULE = Path(__file__).parents[2] / "MetaUNETRSegment"
FILES = sorted((MODULE / "Resources/Translations").glob("*.ts"))


def texts() -> dict[str, set[str]]:
    """What Slicer looks up, by context: the strings of the .ui file, and arguments of `_`."""
    ui = ElementTree.parse(MODULE / "Resources/UI/MetaUNETRSegment.ui")
    found = {"MetaUNETRSegment": {each.text for each in ui.iter("string") if each.text}}
    for path in MODULE.rglob("*.py"):
        package = (path.parent / "__init__.py").is_file()
        context = f"{path.parent.name}.{path.stem}" if package else path.stem
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_":
                found.setdefault(context, set()).add(ast.literal_eval(node.args[0]))
    return found


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_translations_fit_the_texts_of_the_module(path):
    """A changed text is English until it is translated again; nine of ten must fit."""
    known, fitting, messages = texts(), 0, 0
    for context in ElementTree.parse(path).iter("context"):
        name = context.findtext("name")
        for message in context.iter("message"):
            source, translation = message.findtext("source"), message.findtext("translation")
            assert translation
            fitting += source in known.get(name, set())
            places, kept = (sorted(re.findall(r"{\w+}", text)) for text in (source, translation))
            assert places == kept, source
            messages += 1
    assert messages > 250
    assert fitting > 0.9 * messages


def test_there_are_german_and_french():
    assert [path.name for path in FILES] == ["MetaUNETR_de-DE.ts", "MetaUNETR_fr-FR.ts"]
