"""Each text of the module has a German and a French translation."""

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
    fixed = {text for each in ui.iter() if each.get("notr") == "true" for text in each.iter()}
    found = {"MetaUNETRSegment": {each.text for each in ui.iter("string")
                                  if each.text and each not in fixed}}
    for path in MODULE.rglob("*.py"):
        package = (path.parent / "__init__.py").is_file()
        context = f"{path.parent.name}.{path.stem}" if package else path.stem
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_":
                found.setdefault(context, set()).add(ast.literal_eval(node.args[0]))
    return found


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_each_text_of_the_module_is_translated_and_no_other(path):
    known, found = texts(), {}
    for context in ElementTree.parse(path).iter("context"):
        messages = found.setdefault(context.findtext("name"), set())
        for message in context.iter("message"):
            source, translation = message.findtext("source"), message.findtext("translation")
            assert translation, source
            places, kept = (sorted(re.findall(r"{\w+}", text)) for text in (source, translation))
            assert places == kept, source
            messages.add(source)
    for context in known.keys() | found.keys():
        english, translated = known.get(context, set()), found.get(context, set())
        assert not english - translated, f"not translated in {context}"
        assert not translated - english, f"no longer in {context}"


def test_there_are_german_and_french():
    assert [path.name for path in FILES] == ["MetaUNETR_de-DE.ts", "MetaUNETR_fr-FR.ts"]
