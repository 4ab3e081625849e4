"""Many CTs, one after the other: what is there, what is done already, and the rest.

    discover   files and folders → inputs, and what is left out with its reason
    case       an input, its name, and where its results lie
    finished   the record that tells whether a case is done, and with what
    run        the loop over the cases
    events     what is told meanwhile, as data and as lines of text
    table      statistics of all cases in one CSV
"""

from metaunetr.batch.run import Options, run

__all__ = ["Options", "run"]
