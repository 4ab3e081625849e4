"""The parts of the MetaUNETR Segment module, one concept per file.

    core            the path of the Slicer-independent core, the package `metaunetr`
    engine          the core as a separate process
    job             one run of that process, from its inputs to its results
    segmenting      the jobs that segment a volume and estimate time and memory
    exchange        volume node → file
    segmentation    labels → segmentation node
    ownership       which segments a new run may replace
    views           what is shown: one volume and its result
    colours         those of the segments
    colortable      organ numbers for the export of label maps
    masks           segments ↔ arrays on a volume's grid
    roi, correction            a region of interest; new labels inside it, the old ones outside
    organhere                  one segment anew around a point, for Segment Editor
    comparison, statistics     Dice, NSD and a difference overlay; volumes and HU
    uncertainty                the uncertainty as a volume
    batchcase                  loads a case of a batch with its result
    corrections                organs that a person has corrected, in the scene and remembered
    ownmodels                  models that the user has adapted: rename, export, delete
    dependencies, install      installation of missing packages, and its widgets
    series                     the DICOM series of a volume
    i18n                       translation of texts
    terminology, sampledata    registered when Slicer starts
    parameters, panel          the state that the scene keeps; the widgets
"""

from MetaUNETRSegmentLib.core import addToPath

addToPath()
