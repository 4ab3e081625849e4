"""The DICOM series that a volume was loaded from, where Slicer's database knows it."""

from pathlib import Path

import slicer

from metaunetr.io.dicom import missing_ends


def seriesWarnings(volumeNode) -> list[str]:
    """What may be missing at the ends of the volume, for which Slicer says nothing."""
    database = getattr(slicer, "dicomDatabase", None)
    uids = (volumeNode.GetAttribute("DICOM.instanceUIDs") or "").split()
    if database is None or not uids:
        return []
    files = filter(None, (database.fileForInstance(uid) for uid in uids))
    return missing_ends(map(Path, files))
