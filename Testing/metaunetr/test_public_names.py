"""The package shows its public names, to people (`dir`) and to type checkers."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import metaunetr

PUBLIC = ["Grid", "Image", "Result", "Segmenter", "read_image", "read_labels", "write_labels"]


def test_dir_lists_the_public_names_and_each_exists():
    assert dir(metaunetr) == sorted([*PUBLIC, "__version__"])
    assert all(callable(getattr(metaunetr, name)) for name in PUBLIC)


def test_dir_imports_nothing():
    code = "import sys, metaunetr; dir(metaunetr); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_type_checkers_see_each_name_where_it_is_loaded_from():
    tree = ast.parse(Path(metaunetr.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {name.asname: line.module for line in block.body for name in line.names}
    assert seen == metaunetr._PUBLIC
