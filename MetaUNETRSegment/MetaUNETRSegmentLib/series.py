"""The DICOM series of a volume, if Slicer's database has it."""

from pathlib import Path

import slicer

from metaunetr.io.dicom import missing_ends


def seriesWarnings(volumeNode) -> list[str]:
    """Warnings about slices that may be missing at the ends of the volume."""
    database = getattr(slicer, "dicomDatabase", None)
    uids = (volumeNode.GetAttribute("DICOM.instanceUIDs") or "").split()
    if database is None or not uids:
        return []
    files = filter(None, (database.fileForInstance(uid) for uid in uids))
    return missing_ends(map(Path, files))
