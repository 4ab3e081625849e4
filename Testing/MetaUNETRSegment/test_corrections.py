"""Which segments count as corrected, and the copies that are remembered of them."""

from __future__ import annotations

import os

import numpy as np
import pytest

from fake_engine import FakeEngine
from metaunetr.cli import main
from metaunetr.io.seg_nrrd import VOXELS, content_digest
from metaunetr_training.adapt import cases
from metaunetr_training.cli import parser
from tiny_bundle import write_bundle
from tiny_dataset import small_case

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture
def result(add_volume, record):
    """A CT of a body, and a result of the module with spleen, kidneys and liver."""
    from MetaUNETRSegmentLib.exchange import fingerprint, snapshot
    from MetaUNETRSegmentLib.segmentation import writeSegmentation

    image, labels = small_case()
    volume = add_volume(image.array, LPS @ image.grid.affine)
    node = writeSegmentation(snapshot(volume), labels.array, [], record)
    node.SetAttribute("MetaUNETR.Voxels", fingerprint(volume))
    return node


def segment(node, name):
    return node.GetSegmentation().GetSegment(name)


def erase(node, name="liver", slices=22):
    """Removes the lower slices of a segment, as the eraser of Segment Editor does."""
    import slicer

    from MetaUNETRSegmentLib import views

    volume = views.volumeOf(node)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, name, volume).copy()
    mask[:slices] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, name, volume)


def harden(node):
    """A transform is hardened on the CT and on its segmentation."""
    import slicer

    from MetaUNETRSegmentLib import views

    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    slicer.util.updateTransformMatrixFromArray(
        transform, np.array([[0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1.0]]))
    for each in (views.volumeOf(node), node):
        each.SetAndObserveTransformNodeID(transform.GetID())
        each.HardenTransform()


def hardened_of_batch(node):
    of_batch(node)
    harden(node)


def with_status(status):
    return lambda node: segment(node, "liver").SetTag("Segmentation.Status", status)


def of_batch(node):
    """Tags as `metaunetr batch` writes them, which the module did not claim."""
    from MetaUNETRSegmentLib import ownership

    mask, matrix = ownership._maskOf(segment(node, "liver"))
    x, y, z, _ = matrix @ [*mask.offset[::-1], 1]
    segment(node, "liver").RemoveTag(ownership.CONTENT)
    segment(node, "liver").SetTag(
        VOXELS, f"{content_digest(mask.voxels)} {-x:.3f} {-y:.3f} {z:.3f}")


def moved_of_batch(node):
    of_batch(node)
    erase(node)


def completed_of_batch(node):
    of_batch(node)
    with_status("completed")(node)


def draw(name):
    def drawn(node):
        import slicer

        node.GetSegmentation().AddEmptySegment(name, name)
        mask = np.zeros((40, 48, 56), np.uint8)
        mask[20:24, 20:24, 20:24] = 1
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, name)
    return drawn


@pytest.mark.parametrize(("change", "corrected"), [
    (lambda node: None, []),
    (erase, ["liver"]),
    (lambda node: erase(node, slices=40), ["liver"]),  # there is none
    (with_status("completed"), ["liver"]),
    (with_status("inprogress"), []),
    (harden, []),
    (hardened_of_batch, []),
    (draw("pancreas"), ["pancreas"]),
    (draw("tumor"), []),
    (lambda node: node.GetSegmentation().AddEmptySegment("", "esophagus"), []),
    (of_batch, []),
    (moved_of_batch, ["liver"]),
    (completed_of_batch, ["liver"]),
])
def test_what_counts_as_corrected(result, change, corrected):
    from MetaUNETRSegmentLib.corrections import correctedSegments

    change(result)
    assert [organ.name for organ in correctedSegments(result)] == corrected


def test_the_table_marks_an_edited_result_of_a_batch(result):
    from MetaUNETRSegmentLib.statistics import rows

    of_batch(result)
    assert not any(row.edited for row in rows(result))
    erase(result)
    assert [row.name for row in rows(result) if row.edited] == ["liver"]


@pytest.fixture
def remember(monkeypatch, own_folder, tmp_path):
    """Remembers, the command running in this process."""
    from MetaUNETRSegmentLib.corrections import rememberJob

    start = write_bundle(tmp_path / "start")

    def run(node):
        def command(folder):
            here = os.getcwd()
            os.chdir(folder)
            try:
                assert main(engine.arguments, parser) == 0
            finally:
                os.chdir(here)
            return []

        engine = FakeEngine(command)
        monkeypatch.setattr("MetaUNETRSegmentLib.engine.startEngine", engine)
        return rememberJob(node, str(start)).wait()

    return run


def remembered(node):
    from MetaUNETRSegmentLib import corrections

    return corrections.isRemembered(node, corrections.correctedSegments(node))


def test_a_remembered_correction_is_a_case_and_nobody_is_named(result, remember, own_folder):
    from MetaUNETRSegmentLib import corrections

    result.SetName("Smith, John organs")
    erase(result)
    draw("pancreas")(result)
    assert not remembered(result)
    kept = remember(result)
    assert corrections.remembered() == [kept] and remembered(result)
    assert (kept.organs, kept.model) == (("liver", "pancreas"), "abdomen13-2mm")
    assert kept.size == sum(file.stat().st_size for file in kept.folder.iterdir())
    assert kept.folder.parent == own_folder / "Corrections"
    case, = cases.find([kept.folder], (), range(1, 14), print)
    assert case.organs == {6, 11}
    assert b"Smith" not in case.labels.read_bytes()
    image, labels = cases.io.read_image(case.image), case.read()
    assert image.grid.same_as(labels.grid)
    assert abs(image.array[labels.array == 6].mean() - 110) < 5


def test_after_another_edit_the_copy_is_replaced_and_forgotten_at_last(result, remember):
    from MetaUNETRSegmentLib import corrections

    erase(result)
    first = remember(result)
    erase(result, "spleen", 26)
    assert not remembered(result)
    second = remember(result)
    assert (second.folder, second.organs) == (first.folder, ("spleen", "liver"))
    assert len(corrections.remembered()) == 1
    corrections.forget(second)
    assert not remembered(result) and corrections.remembered() == []


def test_a_moved_segmentation_lies_where_it_does_in_the_scene(result, remember, add_transform):
    erase(result)
    whole = case_of(remember(result)).read()
    result.SetAndObserveTransformNodeID(add_transform(shift=(0, 0, 12)).GetID())
    moved = case_of(remember(result)).read()
    assert np.array_equal(moved.array[2:], whole.array[:-2])


def case_of(kept):
    return cases.find([kept.folder], (), [6], print)[0]


def without_volume(node):
    import slicer

    from MetaUNETRSegmentLib import views

    slicer.mrmlScene.RemoveNode(views.volumeOf(node))


def another_frame(node):
    import slicer

    from MetaUNETRSegmentLib import views

    erase(node)
    slicer.util.updateVolumeFromArray(views.volumeOf(node), small_case(1)[0].array)


@pytest.mark.parametrize(("change", "reason"), [
    (lambda node: None, "No organ has been corrected"),
    (without_volume, "Its volume is not in the scene"),
    (another_frame, "another frame of a sequence"),
])
def test_what_cannot_be_remembered_is_one_sentence(result, own_folder, change, reason):
    from MetaUNETRSegmentLib import corrections
    from MetaUNETRSegmentLib.job import SegmentationError

    change(result)
    with pytest.raises(SegmentationError, match=reason):
        corrections.rememberJob(result)
    assert corrections.inScene() == []


def test_a_segmentation_under_a_bent_transform_is_no_candidate(result, bend):
    from MetaUNETRSegmentLib import corrections

    erase(result)
    result.SetAndObserveTransformNodeID(bend.GetID())
    assert "must be the same or linear" in corrections.reasonAgainst(
        result, corrections.correctedSegments(result))


def test_the_picture_of_a_candidate_is_a_png(result):
    from MetaUNETRSegmentLib.corrections import inScene, picture

    erase(result)
    (node, corrected), = inScene()
    assert node is result
    assert picture(node, corrected).startswith(b"\x89PNG")
