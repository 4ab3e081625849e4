"""The table of organ numbers, so that exported label maps have those of the command line."""

import slicer

from metaunetr.organs import BY_NUMBER

NAME = "MetaUNETR organs"


def preset(segmentationNode) -> None:
    """Chooses the table for the export of label maps, unless somebody has chosen another one."""
    if segmentationNode.GetLabelmapConversionColorTableNode() is None:
        segmentationNode.SetLabelmapConversionColorTableNodeID(_table().GetID())


def _table():
    """The table of the scene; a new one if there is none."""
    scene = slicer.mrmlScene
    if table := scene.GetFirstNode(NAME, "vtkMRMLColorTableNode"):
        return table
    table = scene.CreateNodeByClass("vtkMRMLColorTableNode")
    table.UnRegister(None)
    table.SetName(NAME)
    table.SetTypeToUser()
    table.SetAttribute("Category", "Segmentations")
    table.SetNumberOfColors(max(BY_NUMBER) + 1)
    table.SetColor(0, "background", 0, 0, 0, 0)
    for number, organ in BY_NUMBER.items():
        table.SetColor(number, organ.name, *(channel / 255 for channel in organ.colour), 1)
    return scene.AddNode(table)
