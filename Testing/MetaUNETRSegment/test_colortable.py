"""Label maps that Slicer exports have the numbers of the command line."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import slicer

from MetaUNETRSegmentLib import colortable, exchange, segmentation


def test_exported_numbers_are_those_of_the_organs(
        scene, add_volume, labels, entries, record, tmp_path):
    volume = add_volume()
    node = segmentation.writeSegmentation(
        exchange.snapshot(volume), labels, entries(labels), record)
    before = scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode")
    for _ in range(2):
        node.SetLabelmapConversionColorTableNodeID(None)
        colortable.preset(node)
    assert scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode") == before + 1
    slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsBinaryLabelmapRepresentationToFiles(
        str(tmp_path), node, None, "nii.gz", True, volume,
        slicer.vtkSegmentation.EXTENT_REFERENCE_GEOMETRY,
        node.GetLabelmapConversionColorTableNode())
    image = sitk.ReadImage(str(tmp_path / "CT organs.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), labels)


def test_a_table_that_somebody_chose_stays(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    other = scene.AddNewNodeByClass("vtkMRMLColorTableNode")
    node.SetLabelmapConversionColorTableNodeID(other.GetID())
    colortable.preset(node)
    assert node.GetLabelmapConversionColorTableNode() is other
