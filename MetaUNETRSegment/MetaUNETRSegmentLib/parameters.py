"""The state of the panel, saved and restored with the scene."""

from typing import Annotated

from slicer import vtkMRMLMarkupsROINode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

MODELS_OVERLAP = -0.05  # one step below the smallest overlap: as the model's card says


@parameterNodeWrapper
class Parameters:
    """The choices of the panel.

    inputVolume - the CT.
    model - name of the model; empty for the default one.
    outputSegmentation - where the organs go; none for a new segmentation beside the volume.
    skippedOrgans - organs of the model that are left out; empty for all of them.
    device - "auto", "cpu", "cuda:0" …
    overlap - of neighbouring windows; below 0 for the model's own.
    terminologyColours - those of Slicer's terminology instead of the module's palette.
    roi - only what lies inside is segmented; none for the whole volume.
    result - the segmentation that the table of results shows.
    correctSegmentation, correctOrgans, correctRoi - what is segmented again, and where.
    compareFirst, compareSecond - the two segmentations that are compared.
    batch… - folders and formats of a batch.
    adaptMinutes - the most that adapting a model may take.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    model: str = ""
    outputSegmentation: vtkMRMLSegmentationNode
    skippedOrgans: list[str]
    device: str = "auto"
    overlap: Annotated[float, WithinRange(MODELS_OVERLAP, 0.9)] = MODELS_OVERLAP
    precision: str = "auto"
    largestComponent: bool = False
    uncertainty: bool = False
    terminologyColours: bool = False
    roi: vtkMRMLMarkupsROINode

    result: vtkMRMLSegmentationNode

    correctSegmentation: vtkMRMLSegmentationNode
    correctOrgans: list[str]
    correctRoi: vtkMRMLMarkupsROINode

    compareFirst: vtkMRMLSegmentationNode
    compareSecond: vtkMRMLSegmentationNode

    batchInput: str = ""
    batchOutput: str = ""
    batchFormat: str = "seg.nrrd"
    batchSurfaces: str = ""
    batchResume: bool = True

    adaptMinutes: Annotated[int, WithinRange(5, 600)] = 30


def optionsOf(parameters: Parameters) -> dict:
    """The choices of model and execution as arguments of the logic's `segment`."""
    return {
        "model": parameters.model or None,
        "device": parameters.device,
        "overlap": None if parameters.overlap < 0 else parameters.overlap,
        "precision": parameters.precision,
        "largestComponent": parameters.largestComponent,
    }
