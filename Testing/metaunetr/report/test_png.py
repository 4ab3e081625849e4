"""PNG files that another program reads back exactly."""

import numpy as np
import pytest
import SimpleITK as sitk

from metaunetr.errors import OutputError
from metaunetr.report import save_png


@pytest.mark.parametrize("colours", [2, 129, 256, 257, 5000])
@pytest.mark.parametrize("shape", [(1, 1), (7, 31), (64, 48)])
def test_round_trip(tmp_path, colours, shape):
    generator = np.random.default_rng(colours)
    table = generator.integers(0, 256, (colours, 3), np.uint8)
    rgb = table[generator.integers(0, colours, shape)]
    save_png(tmp_path / "bild_ä.png", rgb)
    read = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "bild_ä.png")))
    np.testing.assert_array_equal(read[..., :3], rgb)


def test_a_palette_makes_it_small(tmp_path):
    generator = np.random.default_rng(0)
    grey = generator.integers(0, 64, (200, 200, 1), np.uint8).repeat(3, axis=2)
    save_png(tmp_path / "a.png", grey)
    assert (tmp_path / "a.png").stat().st_size < 200 * 200


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        save_png(tmp_path / "missing" / "a.png", np.zeros((2, 2, 3), np.uint8))
