"""The accuracy of a model on whole CTs, measured on their own grids.

    selection    the model and the cases; whether it was trained on any of them
    cases        segments and scores each case, and keeps the results
    scores       one organ of one case
    ceiling      Dice of the reference itself, resampled to the model spacing and back
    statistics   means, bootstrap intervals, paired tests
    table        the summary, as CSV, JSON, Markdown and LaTeX
    calibration  confidence of the engine → expected Dice
    canvas       size, style and colours of pictures
    plots        box plots, reliability, paired differences
    beside       reference and result of a case, one above the other
    worst        pictures of the worst cases
    output       all files of an evaluation
    compare      two evaluations of the same cases
"""
