"""Many CTs: what is there, what is done already, and the rest.

    discover   files and folders → inputs, and what is left out with its reason
    case       an input, its name, and where its results lie
    finished   the record that tells whether a case is done, and with what
    options    what is to be made
    work       one case: read, segment, write
    pipeline   the cases on this machine
    cluster    the cases on the workers of a Dask cluster; worker is what they run
    ledger     what became of each: events, manifest, tables, page
    run        all of it, from begin to end
    events     what is told meanwhile, as data and as lines of text
    privacy    what may be told of patients
    manifest, table, index, thumbnail   the files that the ledger writes
"""

from metaunetr.batch.options import Options
from metaunetr.batch.run import run

__all__ = ["Options", "run"]
