"""The phantom, a procedural abdominal CT, as sample data: nothing is downloaded."""

from pathlib import Path

import numpy as np
import slicer
import slicer.util

NAME = "MetaUNETR phantom"
FILE = "MetaUNETR-phantom.nrrd"
THUMBNAIL = Path(__file__).resolve().parents[1] / "Resources" / "Icons" / "MetaUNETRPhantom.png"
SPACING = (2.0, 2.0, 3.0)  # mm; made in some seconds


def register() -> None:
    """Offers the phantom in the module Sample Data, in a category of its own."""
    try:
        import SampleData
    except ImportError:  # switched off in the settings, or left out of this Slicer
        return

    class Phantom(SampleData.SampleDataSource):
        """Slicer loads what `uris` name; that file is made when it is first asked for."""

        @property
        def uris(self):
            return [phantomFile().as_uri()]

        @uris.setter
        def uris(self, value):
            pass

        def __str__(self):  # by which sources are compared
            return NAME

    sources = SampleData.SampleDataLogic.sampleDataSourcesByCategory()
    mine = sources.setdefault("MetaUNETR", [])
    if NAME not in map(str, mine):
        mine.append(Phantom(sampleName=NAME, uris=[""], fileNames=[FILE],
                            nodeNames=[NAME], thumbnailFileName=str(THUMBNAIL)))


def phantomFile() -> Path:
    """The file of the phantom, in Slicer's temporary folder; made in some seconds if missing."""
    from metaunetr import phantom
    from metaunetr.io import write_image

    path = Path(slicer.app.temporaryPath) / FILE
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with slicer.util.WaitCursor():
            write_image(path, phantom.make(0, spacing=SPACING).image)
    return path


def makePhantom(seed: int = 0, spacing: tuple[float, float, float] | None = None):
    """A CT volume node of a phantom patient, with what is known of it.

    Args:
        spacing: mm along (i, j, k); None for what the seed has, as a scanner would.

    Returns:
        The vtkMRMLScalarVolumeNode, and for each organ's key its true mask, bool (K, J, I).
    """
    from metaunetr import phantom
    from metaunetr.organs import BY_NUMBER
    from MetaUNETRSegmentLib import views
    from MetaUNETRSegmentLib.exchange import LPS

    made = phantom.make(seed, spacing=spacing)
    node = slicer.util.addVolumeFromArray(made.image.array, LPS @ made.image.grid.affine, NAME)
    views.windowSoftTissue(node)
    truth = {BY_NUMBER[number].key: made.labels.array == number
             for number in np.unique(made.labels.array) if number}
    return node, truth
