"""Labels become a segmentation node that Slicer and its user can go on with."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
import slicer
from numpy.testing import assert_allclose, assert_array_equal

from metaunetr.io import read_labels
from metaunetr.io.seg_nrrd import terminology_entry
from metaunetr.organs import BY_NUMBER
from metaunetr.report.palette import shown_colour
from metaunetr_training.adapt.cases import read_corrections
from MetaUNETRSegmentLib import exchange, ownership, segmentation
from MetaUNETRSegmentLib.masks import maskOf

KEYS = ["spleen", "right_kidney", "left_kidney", "liver", "portal_and_splenic_vein"]
NUMBERS = [1, 2, 3, 6, 10]


@pytest.fixture
def write(labels, entries, record):
    """Writes labels (the default ones) for a volume, all of the grid."""
    def write(volume, array=None, node=None, offset=(0, 0, 0), known=None, numbers=None):
        array = labels if array is None else array
        return segmentation.writeSegmentation(
            known or exchange.snapshot(volume), array, entries(array, numbers), record, node,
            offset)

    return write


def masks(node, volume) -> dict[str, np.ndarray]:
    return {segmentId: slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentId, volume) > 0
            for segmentId in node.GetSegmentation().GetSegmentIDs()}


def paint(node, segmentId, volume, where, value=1):
    """As Segment Editor does: the voxels `where` of one segment are changed."""
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, segmentId, volume)
    array[where] = value
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, segmentId, volume)


def node_ids(scene) -> list[str]:
    return [scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())]


def reloaded(scene, node, path):
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(path))
    assert storage.WriteData(node)
    again = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "again")
    assert storage.ReadData(again)
    return again


def test_each_organ_is_a_segment_with_name_terminology_colour_and_tags(add_volume, write, record):
    node = write(add_volume())
    content = node.GetSegmentation()
    assert list(content.GetSegmentIDs()) == KEYS
    for key, number in zip(KEYS, NUMBERS, strict=True):
        organ, segment = BY_NUMBER[number], content.GetSegment(key)
        assert segment.GetName() == organ.name
        assert_allclose(np.array(segment.GetColor()) * 255, shown_colour(organ), atol=1e-6)
        assert segment.GetTerminology() == terminology_entry(organ)
        assert ownership.tagOf(segment, "MetaUNETR.Confidence") == "0.938"
        assert ownership.tagOf(segment, "MetaUNETR.VolumeML") == "12.340"
        assert ownership.tagOf(segment, "MetaUNETR.Model") == record["model"]
        assert ownership.tagOf(segment, "MetaUNETR.ModelSHA256") == record["model_sha256"]
        flags = ownership.tagOf(segment, "MetaUNETR.Flags")
        assert flags == "touches the border / of the image: top"
    assert json.loads(node.GetAttribute("MetaUNETR.Record")) == record


def test_masks_are_the_labels_and_share_one_small_layer(add_volume, write, labels):
    volume = add_volume()
    node = write(volume)
    for (key, mask), number in zip(masks(node, volume).items(), NUMBERS, strict=True):
        assert_array_equal(mask, labels == number, key)
        assert node.GetSegmentation().GetSegment(key).GetLabelValue() == number
    assert node.GetSegmentation().GetNumberOfLayers() == 1
    image = node.GetBinaryLabelmapInternalRepresentation("liver")
    assert image.GetExtent() == (2, 19, 3, 17, 1, 10)


def test_a_crop_is_put_where_it_belongs(add_volume, write, labels):
    volume = add_volume()
    crop = labels[1:9, 4:18, 2:20]
    node = write(volume, crop, offset=(1, 4, 2))
    expected = np.zeros_like(labels)
    expected[1:9, 4:18, 2:20] = crop
    assert_array_equal(masks(node, volume)["liver"], expected == 6)


def test_reference_geometry_and_role_are_those_of_the_volume(scene, add_volume, write):
    volume = add_volume()
    node = write(volume)
    other = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    other.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    assert (node.GetSegmentation().GetConversionParameter(name)
            == other.GetSegmentation().GetConversionParameter(name))
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volume


def test_shown_in_2d_and_no_surface_is_made(add_volume, write):
    node = write(add_volume())
    display = node.GetDisplayNode()
    assert display.GetVisibility2DFill() and display.GetVisibility2DOutline()
    assert not node.GetSegmentation().ContainsRepresentation("Closed surface")
    node.CreateClosedSurfaceRepresentation()  # what the button Show 3D does
    assert display.GetVisibility() and display.GetVisibility3D()
    assert node.GetClosedSurfaceInternalRepresentation("liver").GetNumberOfPoints() > 0


def test_named_after_the_volume_and_beside_it_in_the_subject_hierarchy(scene, add_volume, write):
    hierarchy = scene.GetSubjectHierarchyNode()
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    volume = add_volume(name="CT 7")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), study)
    first, second = write(volume), write(volume)
    assert first.GetName() == "CT 7 organs"
    assert second.GetName() != first.GetName()
    for node in (first, second):
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study


@pytest.mark.parametrize("kind", ["linear", "bent"])
def test_under_the_same_transform_and_at_the_same_place(add_volume, write, add_transform, bend,
                                                        labels, kind):
    transform = add_transform(25, (10, -20, 30)) if kind == "linear" else bend
    volume = add_volume(transform=transform)
    node = write(volume)
    assert node.GetTransformNodeID() == transform.GetID()
    assert_array_equal(masks(node, volume)["liver"], labels == 6)
    centre = np.append(np.argwhere(labels == 6).mean(axis=0)[::-1], 1)
    local = exchange.snapshot(volume).ijkToRas @ centre
    world = np.zeros(3)
    volume.TransformPointToWorld(local[:3], world)
    assert_allclose(node.GetSegmentCenterRAS("liver"), world, atol=2.5)


def test_a_volume_that_has_gone_or_moved_on_leaves_its_geometry(scene, add_volume, write, labels):
    volume, twin = add_volume(), add_volume(name="twin")
    known = exchange.snapshot(volume)
    scene.RemoveNode(volume)
    node = write(None, known=known)
    assert node.GetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole()) is None
    assert_array_equal(masks(node, twin)["liver"], labels == 6)
    known = exchange.snapshot(twin)
    twin.SetOrigin(500, 500, 500)
    node = write(twin, known=known)
    image = node.GetBinaryLabelmapInternalRepresentation("liver")
    assert_allclose(segmentation.ijkToNode(known, node), known.ijkToRas)
    assert np.abs(np.array(image.GetOrigin()) - known.ijkToRas[:3, 3]).max() < 1e-6


def test_an_empty_result_is_an_empty_node(add_volume, write, labels):
    node = write(add_volume(), np.zeros_like(labels), numbers=[1, 6])
    assert node.GetSegmentation().GetNumberOfSegments() == 0
    assert node.GetAttribute("MetaUNETR.Record")


def test_an_empty_node_of_the_user_is_treated_as_a_new_one(scene, add_volume, write, add_transform,
                                                           labels):
    volume = add_volume(transform=add_transform(10))
    mine = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    assert write(volume, node=mine) is mine
    assert mine.GetName() == "mine" and mine.GetDisplayNode()
    assert mine.GetTransformNodeID() == volume.GetTransformNodeID()
    assert_array_equal(masks(mine, volume)["liver"], labels == 6)


# Into a segmentation that has segments


def test_untouched_segments_are_replaced_in_their_place(add_volume, write, labels):
    volume = add_volume()
    node = write(volume)
    moved = np.roll(labels, 1, axis=2)
    write(volume, moved, node)
    assert list(node.GetSegmentation().GetSegmentIDs()) == KEYS
    assert node.GetSegmentation().GetNumberOfLayers() == 1
    for (key, mask), number in zip(masks(node, volume).items(), NUMBERS, strict=True):
        assert_array_equal(mask, moved == number, key)


def test_only_the_organs_that_were_looked_for_are_replaced_or_removed(add_volume, write, labels):
    volume = add_volume()
    node = write(volume)
    write(volume, np.where(labels == 6, 6, 0).astype(np.uint8), node, numbers=[1, 6])
    assert list(node.GetSegmentation().GetSegmentIDs()) == KEYS[1:]  # no spleen was found
    assert_array_equal(masks(node, volume)["left_kidney"], labels == 3)


@pytest.mark.parametrize("edit", ["paint", "erase", "rename", "recolour", "terminology", "status"])
def test_an_edited_segment_stays_and_the_new_one_gets_a_suffix(add_volume, write, labels, edit):
    volume = add_volume()
    node = write(volume)
    segment = node.GetSegmentation().GetSegment("liver")
    if edit == "paint":
        paint(node, "liver", volume, np.s_[0, 0, 0])
    elif edit == "erase":
        paint(node, "liver", volume, np.s_[4, 3, 2], 0)
    elif edit == "rename":
        segment.SetName("my liver")
    elif edit == "recolour":
        segment.SetColor(0.1, 0.2, 0.3)
    elif edit == "terminology":
        segment.SetTerminology(terminology_entry(BY_NUMBER[1]))
    else:
        slicer.vtkSlicerSegmentationsModuleLogic.SetSegmentStatus(segment, 2)
    assert not ownership.isUntouched(node, "liver")
    before = masks(node, volume)["liver"]
    name, colour = segment.GetName(), segment.GetColor()
    moved = np.roll(labels, 1, axis=2)
    for _ in range(2):  # the second time, liver_2 is ours and untouched
        write(volume, moved, node)
        assert list(node.GetSegmentation().GetSegmentIDs()) == [*KEYS, "liver_2"]
        found = masks(node, volume)
        assert_array_equal(found["liver"], before)
        assert_array_equal(found["liver_2"], moved == 6)
        segment = node.GetSegmentation().GetSegment("liver")
        assert (segment.GetName(), segment.GetColor()) == (name, colour)
    assert node.GetSegmentation().GetSegment("liver_2").GetName() == "liver (2)"


def test_segments_of_the_user_stay_bit_for_bit(scene, add_volume, write, labels):
    volume = add_volume()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "manual")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for segmentId, name in (("Segment_1", "liver"), ("spleen", "Milz"), ("tumour", "tumour")):
        node.GetSegmentation().AddEmptySegment(segmentId, name)
        paint(node, segmentId, volume, np.s_[2:9, 2:9, 5:12])
    before = masks(node, volume)
    write(volume, node=node)
    after = masks(node, volume)
    for segmentId, mask in before.items():
        assert_array_equal(after[segmentId], mask)
    assert list(after) == ["Segment_1", "spleen", "tumour", "spleen_2", "right_kidney",
                           "left_kidney", "liver_2", "portal_and_splenic_vein"]
    names = [node.GetSegmentation().GetSegment(key).GetName() for key in after]
    assert names[:3] == ["liver", "Milz", "tumour"] and names[6] == "liver (2)"
    assert_array_equal(after["liver_2"], labels == 6)


def test_into_a_node_on_another_grid_and_under_another_transform(scene, add_volume, write, labels,
                                                                 add_transform):
    other = add_volume(np.zeros((8, 9, 10), np.int16), np.diag([3, 3, 3, 1]), name="other")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "manual")
    node.SetReferenceImageGeometryParameterFromVolumeNode(other)
    node.GetSegmentation().AddEmptySegment("mine", "mine")
    paint(node, "mine", other, np.s_[2:5, 2:5, 2:5])
    node.SetAndObserveTransformNodeID(add_transform(40, (5, 6, 7)).GetID())
    volume = add_volume(transform=add_transform(-20, (9, 0, 1)))
    before = masks(node, other)["mine"]
    write(volume, node=node)
    assert_array_equal(masks(node, other)["mine"], before)
    known = exchange.snapshot(volume)
    liver = maskOf(node, "liver", known, exact=True)  # Slicer itself would resample
    assert_array_equal(liver.within((0, 0, 0), known.shape), labels == 6)
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is other


def test_a_bent_transform_between_volume_and_node_is_refused(scene, add_volume, write, bend):
    volume = add_volume()
    node = write(volume)
    node.SetAndObserveTransformNodeID(bend.GetID())
    with pytest.raises(ValueError, match="must be the same or linear"):
        write(volume, node=node)


def test_shown_surfaces_are_made_anew_and_those_of_others_stay(add_volume, write, labels):
    volume = add_volume()
    node = write(volume)
    paint(node, "spleen", volume, np.s_[0, 0, 0])
    node.CreateClosedSurfaceRepresentation()
    spleen = node.GetClosedSurfaceInternalRepresentation("spleen").GetNumberOfPoints()
    write(volume, np.roll(labels, 1, axis=2), node)
    for key in node.GetSegmentation().GetSegmentIDs():
        assert node.GetClosedSurfaceInternalRepresentation(key).GetNumberOfPoints() > 0
    assert node.GetClosedSurfaceInternalRepresentation("spleen").GetNumberOfPoints() == spleen


def test_segments_that_are_surfaces_are_refused(add_volume, write):
    volume = add_volume()
    node = write(volume)
    node.CreateClosedSurfaceRepresentation()
    node.SetSourceRepresentationToClosedSurface()
    with pytest.raises(ValueError, match="those of CT organs are surfaces"):
        write(volume, node=node)


@pytest.mark.parametrize(("place", "fault"), [
    *product(["new node", "empty node", "same node"], ["segmentOf", "labelmapOf", "_insert"]),
    ("new node", "_placeBeside"), ("empty node", "_placeBeside"),
])
def test_after_an_exception_the_scene_is_as_before(
        scene, add_volume, write, labels, monkeypatch, add_transform, place, fault):
    volume = add_volume(transform=add_transform(10))
    node = {"new node": lambda: None, "same node": lambda: write(volume),
            "empty node": lambda: scene.AddNewNodeByClass("vtkMRMLSegmentationNode")}[place]()
    if place == "same node":
        paint(node, "liver", volume, np.s_[0, 0, 0])
    found = masks(node, volume) if place == "same node" else {}
    ids = node_ids(scene)
    whole, calls = getattr(segmentation, fault), []

    def fail(*args):
        calls.append(args)
        if len(calls) == (3 if fault in ("segmentOf", "_insert") else 1):
            raise RuntimeError("injected")
        return whole(*args)

    monkeypatch.setattr(segmentation, fault, fail)
    with pytest.raises(RuntimeError, match="injected"):
        write(volume, np.roll(labels, 1, axis=2), node)
    assert node_ids(scene) == ids
    if place == "same node":
        again = masks(node, volume)
        assert list(again) == list(found)
        for key, mask in found.items():
            assert_array_equal(again[key], mask)
        assert [ownership.isUntouched(node, key) for key in KEYS] == [1, 1, 1, 0, 1]
    if place == "empty node":
        assert node.GetTransformNodeID() is None


def test_labels_that_do_not_fit_are_refused(add_volume, write, labels):
    with pytest.raises(ValueError, match="must lie on the volume"):
        write(add_volume(), labels, offset=(1, 0, 0))


# Saved and loaded


def test_a_saved_file_says_the_same_to_slicer_and_to_the_command_line(
        scene, add_volume, write, labels, tmp_path):
    volume = add_volume()
    node = write(volume)
    again = reloaded(scene, node, tmp_path / "a.seg.nrrd")
    for key, mask in masks(node, volume).items():
        before, after = (each.GetSegmentation().GetSegment(key) for each in (node, again))
        assert after.GetName() == before.GetName()
        assert_allclose(after.GetColor(), before.GetColor(), atol=1e-5)
        for tag in ("TerminologyEntry", "MetaUNETR.Flags", "MetaUNETR.Confidence"):
            assert ownership.tagOf(after, tag) == ownership.tagOf(before, tag) != ""
        assert_array_equal(
            slicer.util.arrayFromSegmentBinaryLabelmap(again, key, volume) > 0, mask)
    image = read_labels(tmp_path / "a.seg.nrrd")
    assert_array_equal(image.array, labels)
    assert_allclose(np.diag([-1, -1, 1, 1]) @ image.grid.affine,
                    exchange.snapshot(volume).ijkToRas, atol=1e-6)


def test_ownership_survives_a_file_and_so_does_an_edit(scene, add_volume, write, labels, tmp_path):
    volume = add_volume()
    node = write(volume)
    paint(node, "liver", volume, np.s_[5, 5, 5], 0)
    again = reloaded(scene, node, tmp_path / "a.seg.nrrd")
    assert [ownership.isUntouched(again, key) for key in KEYS] == [1, 1, 1, 0, 1]
    adapted = read_corrections(tmp_path, tmp_path / "a.seg.nrrd", lambda text: None)
    assert adapted.organs == {6}  # `metaunetr-training adapt` sees the same in the file
    edited = slicer.util.arrayFromSegmentBinaryLabelmap(again, "liver", volume)
    write(volume, np.roll(labels, 1, axis=2), again)
    thrice = reloaded(scene, again, tmp_path / "b.seg.nrrd")
    assert list(thrice.GetSegmentation().GetSegmentIDs()) == [*KEYS, "liver_2"]
    assert_array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(thrice, "liver", volume), edited)
    assert [ownership.isUntouched(thrice, key) for key in [*KEYS, "liver_2"]] == [1, 1, 1, 0, 1, 1]


def test_ownership_and_record_survive_a_saved_scene(scene, add_volume, write, tmp_path, record):
    volume = add_volume()
    node = write(volume)
    paint(node, "spleen", volume, np.s_[0, 0, 0])
    for saved in (volume, node):
        saved.AddDefaultStorageNode()
    scene.SetRootDirectory(str(tmp_path))
    assert scene.WriteToMRB(str(tmp_path / "scene.mrb"), None)
    scene.Clear(False)
    assert scene.ReadFromMRB(str(tmp_path / "scene.mrb"))
    again = scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    assert [ownership.isUntouched(again, key) for key in KEYS] == [0, 1, 1, 1, 1]
    assert json.loads(again.GetAttribute("MetaUNETR.Record")) == record
    reference = again.GetNodeReference(again.GetReferenceImageGeometryReferenceRole())
    assert reference.GetName() == "CT"
