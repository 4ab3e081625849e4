"""Segmentation of many CTs: find them, skip what is finished, segment the rest.

    run             a batch from start to end
    options         the options of a batch
    inputs          the files, folders and lists that are named
    discover        files and folders → candidates, and what is left out with its reason
    candidate       a file or DICOM series that may be segmented
    series_rules    which DICOM series are CTs to segment
    duplicates      copies and derived series are left out
    case            a CT, its name, and the paths of its results
    case_record     the record of a finished case: what it was made from, and its files
    case_steps      one case: read, segment, write
    pipeline        the cases on this machine
    cluster         the cases on the workers of a Dask cluster; cluster_worker is what these run
    case_ledger     what became of each: events, run_database, tables, page
    events          progress, as data and as lines of text
    privacy         what outputs may say about patients
    run_database, table, index, thumbnail   the files that the ledger writes
"""

from metaunetr.batch.options import Options
from metaunetr.batch.run import run

__all__ = ["Options", "run"]
