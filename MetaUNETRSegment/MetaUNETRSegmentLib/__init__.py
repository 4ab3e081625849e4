"""What the MetaUNETR Segment module is made of; one concept a file.

    core            where the Slicer-independent core (the package `metaunetr`) lies
    engine          the core as a separate process
    job             one run of that process, from its inputs to what is made of its results
    exchange        volume node → file
    segmentation    labels → segmentation node; ownership: which segments may be replaced
    roi, correction            a region of interest; new segments inside it, the old ones outside
    comparison, statistics     Dice, NSD and a difference overlay; volumes and HU
    dependencies               what is to be installed first
    terminology, sampledata    what is registered when Slicer starts
"""

from MetaUNETRSegmentLib.core import addToPath

addToPath()
