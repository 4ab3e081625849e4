"""Adapted models: gain, rename, export, delete."""

from __future__ import annotations

import json

import pytest

import slicer_qt
from metaunetr import bundle
from metaunetr.errors import OutputError
from tiny_bundle import ADAPTED, write_bundle


@pytest.fixture
def mine(scene, own_folder):
    """An adapted model, one that is not adapted, and a damaged one."""
    models = own_folder / "Models"
    write_bundle(models / "other")
    write_bundle(models / "damaged", adapted=ADAPTED, labels={})
    write_bundle(models / "odd", adapted={"organs": 3})
    return write_bundle(models / "mine", name="mine", adapted=ADAPTED)


def test_the_gain_is_in_the_list_of_models(mine):
    slicer_qt.start()
    from MetaUNETRSegmentLib import ownmodels
    from MetaUNETRSegmentLib.panel import models

    assert ownmodels.adapted() == ["mine"]
    items = {item.value: item for item in models.modelItems()}
    assert items["mine"].label == "mine (Random weights)"
    assert "liver 0.81" not in items["mine"].tip
    assert "0.81 → 0.86 in 3 held-out CTs" in items["mine"].tip
    assert "Gain" not in items["other"].tip


def test_a_renamed_model_has_the_new_name_everywhere(mine):
    from MetaUNETRSegmentLib import ownmodels

    ownmodels.rename("mine", "clinic 2")
    assert ownmodels.adapted() == ["clinic 2"] and not mine.exists()
    model = bundle.find("clinic 2")
    assert model.name == "clinic 2" and model.card["adapted"] == ADAPTED
    model.network()


@pytest.mark.parametrize(("new", "reason"), [
    ("other", "Another model is called other"),
    ("abdomen13-2mm", "Another model is called abdomen13-2mm"),
    ("../mine", "A name may have letters"),
    ("", "A name may have letters"),
])
def test_names_that_cannot_be(mine, new, reason):
    from MetaUNETRSegmentLib import ownmodels

    with pytest.raises(ValueError, match=reason):
        ownmodels.rename("mine", new)
    assert mine.exists()


def test_an_exported_model_works_elsewhere(mine, tmp_path):
    from MetaUNETRSegmentLib import ownmodels

    place = ownmodels.export("mine", tmp_path)
    assert json.loads((place / "card.json").read_text())["adapted"] == ADAPTED
    bundle.load(place).network()
    with pytest.raises(OutputError, match="exists"):
        ownmodels.export("mine", tmp_path)


def test_deleted_and_named(mine):
    from MetaUNETRSegmentLib import ownmodels

    write_bundle(mine.with_name("mine-adapted"))
    assert ownmodels.freeName("mine") == "mine-adapted-2"
    ownmodels.delete("mine")
    assert ownmodels.adapted() == []
