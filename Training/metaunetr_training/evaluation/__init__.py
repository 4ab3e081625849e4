"""How good a model is on whole CTs, measured on their own grid.

    subjects     which model and which cases; whether any of them was trained on
    cases        each case through the engine, scored and kept
    scores       one organ of one case
    ceiling      what a perfect mask reaches after the model spacing and back
    statistics   means, bootstrap intervals, paired tests
    table        the summary, as CSV, JSON, Markdown and LaTeX
    calibration  from the engine's confidence to the Dice to be expected
    canvas       size, style and colours of pictures
    plots        box plots, reliability, paired differences
    beside       reference and result of a case, one above the other
    worst        pictures of the worst cases
    output       all files of an evaluation
    compare      two evaluations of the same cases
"""
