"""The stand-in scene does what slicer.util needs, as Slicer does it."""

from __future__ import annotations

import numpy as np
import slicer
from numpy.testing import assert_array_equal


def test_volumes_and_segments_become_arrays_and_back(scene, add_volume):
    volume = add_volume()
    assert slicer.util.arrayFromVolume(volume).shape == (12, 20, 24)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "manual")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = node.GetSegmentation().AddEmptySegment("mine")
    mask = np.zeros((12, 20, 24), np.uint8)
    mask[3:6, 4:9, 5:8] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment, volume)
    assert_array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, volume), mask)


def test_nodes_have_items_in_the_subject_hierarchy_while_they_are_in_the_scene(scene, add_volume):
    hierarchy = scene.GetSubjectHierarchyNode()
    volume = add_volume()
    assert hierarchy.GetItemByDataNode(volume)
    scene.RemoveNode(volume)
    assert hierarchy.GetNumberOfItems() == 0


def test_each_test_has_a_scene_of_its_own(scene):
    assert scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == 0
    assert slicer.mrmlScene is scene
    assert slicer.modules.volumes.logic().GetMRMLScene() is scene
