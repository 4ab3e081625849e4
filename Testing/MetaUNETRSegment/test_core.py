"""The core is found in a source tree and in an installed extension."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from MetaUNETRSegmentLib import core

ROOT = Path(__file__).parents[2]


def test_in_a_source_tree_it_is_in_training():
    assert core.root() == ROOT / "Training"


@pytest.mark.parametrize("installed", [True, False])
def test_installed_it_lies_beside_the_module(tmp_path, monkeypatch, installed):
    library = tmp_path / "qt-scripted-modules" / "MetaUNETRSegmentLib"
    library.mkdir(parents=True)
    monkeypatch.setattr(core, "__file__", str(library / "core.py"))
    if installed:
        package = library.parent / "metaunetr"
        package.mkdir()
        shutil.copy(ROOT / "Training/metaunetr/__init__.py", package)
        assert core.root() == library.parent
    else:
        with pytest.raises(ImportError, match="install the extension again"):
            core.root()
