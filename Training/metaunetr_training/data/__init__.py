"""From raw data sets to prepared cases.

    case       one CT with its labels, where they lie, and what the label numbers mean
    datasets/  the public data sets and general folders → cases
    labels     a data set's label numbers → organ numbers; kidneys split into right and left
    checks     what is wrong with a case
    prepare    cases → arrays at the model spacing; resumable, parallel
    prepared   the folder that training reads, memory-mapped
    folds      which case is trained on and which held out
    report     a page with pictures of what was prepared
"""
