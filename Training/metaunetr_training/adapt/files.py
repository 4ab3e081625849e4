"""What programs without PyTorch know of adapting."""

from __future__ import annotations

from pathlib import Path

FEWEST = 3  # cases: two to learn from, one held out
IMAGE, LABELS, PICTURE = "ct.nii.gz", "ct.seg.nrrd", "ct.png"  # of a remembered correction


def state_folder(output: Path) -> Path:
    """Where the state of an unfinished model lies."""
    return output.with_name(f"{output.name}.adapting")
