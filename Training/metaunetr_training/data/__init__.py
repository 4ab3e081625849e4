"""From raw data sets to prepared cases.

    case       files of a CT and its labels, and the meaning of the label numbers
    datasets/  public data sets and general folders → cases
    labels     label numbers of a data set → organ numbers; kidneys split into right and left
    checks     plausibility of a case
    resample   CT and labels → arrays at the model spacing
    store      one case → its prepared folder
    resources  disk and memory that preparation needs
    workers    parallel processes
    prepare    cases → prepared folder; parallel, resumable
    prepared   the prepared folder, memory-mapped
    folds      cross-validation
    pictures, report   a page with a picture of every prepared case
    pack       prepared cases ↔ one small file
"""
