"""The paper's experiments.

    plan         the networks to train: mixers, architectures, seeds
    runner       trains, tests and measures them, one after the other
    adaptation   what `adapt` brings with a few CTs of a new source
    unattended   a limit of time and a log
    results      CSV files
    claim        statistics: does the architecture count for more than the mixer?
    figures      tables and figures, from the CSV files alone
    baselines    the networks that MetaUNETR is compared with
    costs        parameters, operations, time, memory
    similarity   CKA between trained networks and within each
    cka          how alike two maps of features are
    features     the named maps of a network
    heat_maps    CKA as heat maps and as a table
"""
