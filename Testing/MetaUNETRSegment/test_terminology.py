"""The organs that Slicer's terminologies lack are found in ours, by Slicer's own logic."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import slicer

from metaunetr.io.seg_nrrd import NOT_IN_MASTER_LIST, OWN_CONTEXT, terminology_entry
from metaunetr.organs import ORGANS
from MetaUNETRSegmentLib import terminology

OURS = [organ for organ in ORGANS if organ.code[1] in NOT_IN_MASTER_LIST]


@pytest.mark.parametrize("organ", OURS, ids=lambda organ: organ.key)
def test_the_entry_of_a_segment_is_found_with_its_colour(scene, organ):
    logic = slicer.modules.terminologies.logic()
    assert not logic.IsTerminologyContextLoaded(OWN_CONTEXT)
    terminology.register()
    terminology.register()
    assert logic.IsTerminologyContextLoaded(OWN_CONTEXT)
    entry = slicer.vtkSlicerTerminologyEntry()
    assert logic.DeserializeTerminologyEntry(terminology_entry(organ), entry)
    found = slicer.vtkSlicerTerminologyEntry()
    assert logic.FindTypeInTerminologyBy3dSlicerLabel(OWN_CONTEXT, organ.name, found)
    for kind in (entry, found):
        assert kind.GetTypeObject().GetCodeValue() == organ.code[1]
        assert kind.GetTypeObject().GetCodeMeaning() == organ.code[2]
    assert tuple(found.GetTypeObject().GetRecommendedDisplayRGBValue()) == organ.colour


def test_the_file_has_our_organs_and_no_others():
    content = json.loads(terminology.FILE.read_text(encoding="utf-8"))
    assert content["SegmentationCategoryTypeContextName"] == OWN_CONTEXT
    codes = [kind["CodeValue"] for category in content["SegmentationCodes"]["Category"]
             for kind in category["Type"]]
    assert sorted(codes) == sorted(NOT_IN_MASTER_LIST)


def test_a_damaged_installation_is_said(scene, monkeypatch, tmp_path):
    monkeypatch.setattr(terminology, "FILE", tmp_path / "gone.term.json")
    with pytest.raises(RuntimeError, match="could not be loaded"):
        terminology.register()


def test_slicers_master_list_has_exactly_the_others():
    """Against Slicer's own file, where METAUNETR_SLICER_SOURCE lies in a source tree of Slicer."""
    source = Path(os.environ.get("METAUNETR_SLICER_SOURCE", "nowhere")).resolve()
    name = "Modules/Loadable/Terminologies/Resources/SegmentationCategoryTypeModifier-DICOM-Master"
    files = [folder / f"{name}.json" for folder in (source, *source.parents)]
    path = next((file for file in files if file.is_file()), None)
    if path is None:
        pytest.skip("METAUNETR_SLICER_SOURCE does not lie in a source tree of Slicer")
    types = {kind["CodeValue"]: kind
             for category in json.loads(path.read_text())["SegmentationCodes"]["Category"]
             if category["CodeValue"] == "123037004" for kind in category["Type"]}
    for organ in ORGANS:
        assert (organ.code[1] in types) != (organ.code[1] in NOT_IN_MASTER_LIST), organ.name
        if organ.side:
            sides = [kind["CodeValue"] for kind in types[organ.code[1]]["Modifier"]]
            assert organ.side[1] in sides, organ.name
