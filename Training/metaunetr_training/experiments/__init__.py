"""The paper's experiments.

    mixers       every token mixer under one recipe
    stages       four stages and a bottleneck against three without
    similarity   CKA between trained networks and within each
    baselines    the networks that MetaUNETR is compared with
    variants     networks trained under one recipe
    costs        parameters, operations, time, memory
    runner       variants → runs, costs → table
    table        all of it beside Dice; Dice over iterations
    cka          how alike two maps of features are
    features     the named maps of a network
    heat_maps    CKA as heat maps and as a table
"""
