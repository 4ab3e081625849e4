"""A volume that Slicer loaded from DICOM is compared with the folder that it came from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from metaunetr import phantom
from MetaUNETRSegmentLib.segmenting import Settings, segmentationJob

dicom_series = pytest.importorskip("dicom_series", reason="series are written with pydicom")
pydicom = pytest.importorskip("pydicom")


@pytest.fixture
def from_dicom(tmp_path, add_volume, monkeypatch):
    """Adds a volume as the DICOM module does, without the first and last of the given files."""
    import slicer

    def add(paths: list[Path]):
        uids = {str(pydicom.dcmread(path).SOPInstanceUID): str(path) for path in paths[1:-1]}
        monkeypatch.setattr(slicer, "dicomDatabase", SimpleNamespace(
            fileForInstance=lambda uid: uids.get(uid, "")), raising=False)
        node = add_volume()
        node.SetAttribute("DICOM.instanceUIDs", " ".join(uids))
        return node
    return add


def test_slices_that_are_missing_at_its_ends_are_told(tmp_path, from_dicom, engines):
    paths = dicom_series.write_series(tmp_path, phantom.make(0, spacing=(20, 20, 20)).image)
    node = from_dicom(paths)
    paths[0].unlink()
    paths[-1].write_bytes(b"")
    events = []
    segmentationJob(node, Settings(), lambda labels: None, progress=events.append).cancel()
    beside, numbers = (event["text"] for event in events if event["event"] == "warning")
    assert beside.startswith("1 file beside the slices cannot be read and may be slices (1 empty)")
    assert numbers.startswith("The slices have the numbers 2 to ")


def test_a_volume_that_slicer_did_not_load_from_dicom_is_not_compared(add_volume):
    from MetaUNETRSegmentLib.series import seriesWarnings

    assert seriesWarnings(add_volume()) == []
