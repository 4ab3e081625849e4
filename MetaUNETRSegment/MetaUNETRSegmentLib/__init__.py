"""What the MetaUNETR Segment module is made of; one concept a file.

    core            where the Slicer-independent core (the package `metaunetr`) lies
    engine          the core as a separate process
    job             one run of that process, from its inputs to what is made of its results
    segmenting      the job that segments a volume, and the one that estimates what it takes
    exchange        volume node → file
    segmentation    labels → segmentation node; ownership: which segments may be replaced
    masks           segments ↔ arrays on a volume's grid
    roi, correction            a region of interest; new segments inside it, the old ones outside
    comparison, statistics     Dice, NSD and a difference overlay; volumes and HU
    uncertainty                the uncertainty as a volume
    batchcase                  a case of a batch, loaded with its result
    dependencies               what is to be installed first
    terminology, sampledata    what is registered when Slicer starts
    parameters, panel          the state that the scene keeps; the Qt side
"""

from MetaUNETRSegmentLib.core import addToPath

addToPath()
