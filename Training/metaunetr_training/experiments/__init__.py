"""The paper's experiments.

    baselines   the networks that MetaUNETR is compared with
    cka         how alike two networks' features are
    maps        CKA as heat maps and CSV
    contenders  networks trained under one recipe, each with a run of its own
    costs       what a network costs: parameters, operations, time, memory
    table       all of it beside Dice: CSV, Markdown, Dice over iterations
    mixers      every token mixer under one recipe
    stages      four stages and a bottleneck against three without
"""
