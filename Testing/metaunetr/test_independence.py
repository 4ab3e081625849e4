"""The core needs none of the programs it serves, nor the libraries it was trained with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import metaunetr
from metaunetr.io import read_labels, write_image
from tiny_bundle import small_ct, write_bundle

FORBIDDEN = ("monai", "slicer", "vtk", "vtkmodules", "qt", "PythonQt", "ctk", "nibabel", "scipy",
             "matplotlib", "highdicom", "metaunetr_training")

CODE = """
import importlib, pkgutil, sys

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Forbidden())
import metaunetr
for module in pkgutil.walk_packages(metaunetr.__path__, "metaunetr."):
    if module.name != "metaunetr.__main__":
        importlib.import_module(module.name)
from metaunetr.cli import main
sys.exit(main(sys.argv[2:]))
"""


def test_without_them_every_module_is_imported_and_a_ct_segmented(tmp_path):
    write_image(tmp_path / "ct.nii.gz", small_ct())
    arguments = ["segment", tmp_path / "ct.nii.gz", "-o", tmp_path / "out.seg.nrrd",
                 "--model", write_bundle(tmp_path / "tiny"), "--report", tmp_path / "out.html",
                 "--statistics", tmp_path / "out.csv"]
    done = subprocess.run(
        [sys.executable, "-c", CODE, ",".join(FORBIDDEN), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(Path(metaunetr.__file__).parents[1]),
                          "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, encoding="utf-8", timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert read_labels(tmp_path / "out.seg.nrrd").array.any()
