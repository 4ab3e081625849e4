"""The phantom, a procedural abdominal CT, as sample data: nothing is downloaded."""

from pathlib import Path

import numpy as np
import slicer
import slicer.util

NAME = "MetaUNETR phantom"
THUMBNAIL = Path(__file__).resolve().parents[1] / "Resources" / "Icons" / "MetaUNETRPhantom.png"
SPACING = (2.0, 2.0, 3.0)  # mm; made in some seconds


def register() -> None:
    """Offers the phantom in the module Sample Data, in a category of its own."""
    try:
        import SampleData
    except ImportError:  # switched off in the settings, or left out of this Slicer
        return
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="MetaUNETR", sampleName=NAME, uris=[""], fileNames=[None], nodeNames=[NAME],
        thumbnailFileName=str(THUMBNAIL), customDownloader=_load)


def makePhantom(seed: int = 0, spacing: tuple[float, float, float] | None = None):
    """A CT volume node of a phantom patient, with what is known of it.

    Args:
        spacing: mm along (i, j, k); None for what the seed has, as a scanner would.

    Returns:
        The vtkMRMLScalarVolumeNode, and for each organ's key its true mask, bool (K, J, I).
    """
    from metaunetr import phantom
    from metaunetr.organs import BY_NUMBER

    made = phantom.make(seed, spacing=spacing)
    toRas = np.diag([-1.0, -1.0, 1.0, 1.0])
    node = slicer.util.addVolumeFromArray(made.image.array, toRas @ made.image.grid.affine, NAME)
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevel(400, 40)  # soft tissue
    truth = {BY_NUMBER[number].key: made.labels.array == number
             for number in np.unique(made.labels.array) if number}
    return node, truth


def _load(source):
    with slicer.util.WaitCursor():
        return makePhantom(spacing=SPACING)[0]
