"""Organs that a person has corrected: in the scene, and remembered in a folder of the user's own.

A remembered correction is a case of `metaunetr-training adapt`. Its folder is named after the
voxels of the CT, so that a CT that is remembered again replaces its earlier copy.
"""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import slicer
import slicer.util

from metaunetr.batch.thumbnail import thumbnail
from metaunetr.bundle import user_folder
from metaunetr.errors import InputError
from metaunetr.image import Grid, Image
from metaunetr.io.seg_nrrd import (
    MODEL,
    MODEL_SHA256,
    VOXELS,
    organ_of,
    read_segments,
    write_segments,
)
from metaunetr.organs import Organ
from metaunetr.report.png import encode_png
from metaunetr_training.adapt.files import LABELS, PICTURE
from MetaUNETRSegmentLib import ownership, views
from MetaUNETRSegmentLib.exchange import LPS, fingerprint, snapshot, writeVolume
from MetaUNETRSegmentLib.i18n import tr as _
from MetaUNETRSegmentLib.job import Job, SegmentationError
from MetaUNETRSegmentLib.masks import ijkToNode, maskOf
from MetaUNETRSegmentLib.segmentation import organOf
from MetaUNETRSegmentLib.statistics import showsOtherFrame


@dataclass(frozen=True)
class Remembered:
    """A remembered correction.

    Attributes:
        organs: names.
        model: name of the model that made the segments; "" if they were drawn by hand.
        digests: of the segments when they were remembered.
        size: of all files, in bytes.
    """

    folder: Path
    organs: tuple[str, ...]
    model: str
    digests: frozenset[str]
    date: str
    size: int

    @property
    def picture(self) -> Path:
        return self.folder / PICTURE


def folder() -> Path:
    """Where corrections are remembered, beside the user's models."""
    return user_folder().with_name("Corrections")


Corrected = dict[Organ, str]  # IDs of segments


def correctedSegments(segmentationNode, edited: set[str] | None = None) -> Corrected:
    """The segments that a person has drawn or changed, or marked as completed.

    Of two segments that mean one organ, the first counts.

    Args:
        edited: IDs of those that were changed, if they are known: comparing voxels takes time.
    """
    segmentation, found = segmentationNode.GetSegmentation(), {}
    for segmentId in segmentation.GetSegmentIDs():
        organ, segment = organOf(segmentation, segmentId), segmentation.GetSegment(segmentId)
        if organ and (
            (ownership.isEdited(segmentationNode, segmentId) if edited is None
             else segmentId in edited)
            or ownership.tagOf(segment, ownership.STATUS) == "completed"
            or not (ownership.isEmpty(segment) or any(
                ownership.tagOf(segment, tag)
                for tag in (ownership.CONTENT, VOXELS, "MetaUNETR.VolumeML")))
        ):
            found.setdefault(organ, segmentId)
    return found


def inScene() -> list[tuple]:
    """Segmentations with corrected organs whose CT is in the scene: (node, Corrected)."""
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    pairs = [(node, correctedSegments(node)) for node in nodes]
    return [pair for pair in pairs if not reasonAgainst(*pair)]


def reasonAgainst(segmentationNode, corrected: Corrected) -> str:
    """Why the corrections of a segmentation cannot be remembered; "" if they can."""
    volume = views.volumeOf(segmentationNode)
    if volume is None or volume.GetImageData() is None:
        return _("Its volume is not in the scene: load it first.")
    if not corrected or ownership.isDifference(segmentationNode):
        return _("No organ has been corrected: edit one in Segment Editor.")
    if showsOtherFrame(segmentationNode, volume):
        return _("Its volume shows another frame of a sequence: go to the one that was segmented.")
    try:
        ijkToNode(snapshot(volume), segmentationNode)
    except ValueError as error:  # a non-linear transform lies between the two, or it is no CT
        return str(error)
    return ""


def remembered() -> list[Remembered]:
    """All remembered corrections, the newest first."""
    found = []
    for labels in folder().glob(f"*/{LABELS}"):
        try:
            found.append((labels.stat().st_mtime, _read(labels)))
        except (InputError, OSError):  # it is being removed
            continue
    return [item for date, item in sorted(found, key=lambda pair: pair[0], reverse=True)]


def rememberedOf(segmentationNode) -> Remembered | None:
    """The remembered correction of the CT of a segmentation; None if there is none."""
    labels = _folderOf(segmentationNode) / LABELS
    return _read(labels) if labels.is_file() else None


def isRemembered(segmentationNode, corrected: Corrected) -> bool:
    """Whether all corrected organs are remembered as they are now."""
    known, segmentation = rememberedOf(segmentationNode), segmentationNode.GetSegmentation()
    return known is not None and known.digests == frozenset(
        _digest(segmentation.GetSegment(segmentId)) for segmentId in corrected.values())


def forget(correction: Remembered) -> None:
    """Deletes a remembered correction.

    Raises:
        OSError: a file cannot be deleted.
    """
    shutil.rmtree(correction.folder)


def rememberJob(segmentationNode, model=None, progress=None) -> Job:
    """A job that copies the CT and the corrected organs; its result is the `Remembered`.

    Args:
        model: name of the model that will be adapted, whose spacing the copy has.

    Raises:
        SegmentationError: there is nothing to remember, or the copy cannot be made.
    """
    corrected = correctedSegments(segmentationNode)
    if reason := reasonAgainst(segmentationNode, corrected):
        raise SegmentationError(reason)
    volume, target = views.volumeOf(segmentationNode), _folderOf(segmentationNode)

    def prepare(place: Path) -> None:
        writeVolume(volume, place / "ct.nrrd")
        labels, marks = _labels(segmentationNode, corrected)
        write_segments(place / "ct.seg.nrrd", labels, marks)

    command = ["remember", "ct.nrrd", "ct.seg.nrrd", "-o", str(target), "--json-progress",
               *(["--from", model] if model else [])]
    return Job(command, prepare, lambda job, place: _read(target / LABELS),
               (segmentationNode, volume), progress,
               names={"ct.nrrd": volume.GetName(), "ct.seg.nrrd": segmentationNode.GetName()})


def picture(segmentationNode, corrected: Corrected) -> bytes:
    """A PNG of the corrected organs of a segmentation of `inScene` over the CT."""
    labels, _marks = _labels(segmentationNode, corrected)
    voxels = slicer.util.arrayFromVolume(views.volumeOf(segmentationNode))
    return encode_png(thumbnail(labels, Image(voxels, labels.grid)))


def _folderOf(segmentationNode) -> Path:
    return folder() / fingerprint(views.volumeOf(segmentationNode))


def _labels(
    segmentationNode, corrected: Corrected
) -> tuple[Image, dict[Organ, dict[str, str]]]:
    """Numbers of the corrected organs on the grid of the volume, and the tags of each organ."""
    grid = snapshot(views.volumeOf(segmentationNode))
    labels, marks = np.zeros(grid.shape, np.uint8), {}
    for organ, segmentId in corrected.items():
        mask = maskOf(segmentationNode, segmentId, grid)
        labels[mask.box][mask.voxels] = organ.number
        segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
        marks[organ] = {tag: value for tag in (MODEL, MODEL_SHA256)
                        if (value := ownership.tagOf(segment, tag))} | {
            ownership.CONTENT: _digest(segment), ownership.STATUS: "completed"}
    return Image(labels, Grid.from_affine(grid.shape, LPS @ grid.ijkToRas)), marks


def _digest(segment) -> str:
    return ownership.contentOf(segment).split()[0]


def _read(labels: Path) -> Remembered:
    segments, _record = read_segments(labels)
    tags = [segment["tags"] for segment in segments]
    files = [path.stat() for path in labels.parent.iterdir()]
    return Remembered(
        labels.parent,
        tuple(organ.name for segment in segments if (organ := organ_of(segment))),
        next((each[MODEL] for each in tags if MODEL in each), ""),
        frozenset(each.get(ownership.CONTENT, "") for each in tags),
        time.strftime("%Y-%m-%d %H:%M", time.localtime(labels.stat().st_mtime)),
        sum(file.st_size for file in files),
    )
