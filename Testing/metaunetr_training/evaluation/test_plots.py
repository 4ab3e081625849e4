from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from metaunetr.calibration import Calibration
from metaunetr.errors import OutputError
from metaunetr_training.evaluation import plots
from metaunetr_training.evaluation.calibration import fit


def colours(path) -> np.ndarray:
    """The colours of a picture that are no greys, as rows."""
    drawn = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))[..., :3].reshape(-1, 3).astype(int)
    return np.unique(drawn[drawn.max(1) - drawn.min(1) > 30], axis=0)


@pytest.mark.parametrize("organs", [
    {"liver": (0.9,)}, {"liver": (0.9, 0.8, 0.7), "gallbladder": (0.0, 0.0, 0.0)},
    {"aorta": (1.0, 1.0), "pancreas": (None, 0.3)},
], ids=["one case", "an organ found nowhere", "not scored everywhere"])
def test_every_set_of_scores_can_be_drawn(tmp_path, scores, organs):
    made = [replace(score, ceiling=0.95) for score in scores(**organs)]
    plots.box_plots(tmp_path / "box.png", made, "a model: few cases")
    plots.reliability(tmp_path / "reliability.png", fit(made), made, "a model")
    assert (tmp_path / "box.png").stat().st_size > 5000
    assert len(colours(tmp_path / "reliability.png"))


def test_a_calibration_is_drawn_for_small_and_large_organs(tmp_path, scores):
    made = scores(liver=(0.5, 0.7, 0.9))
    dark = []
    for calibration in (None, Calibration(-1.7, 0.8, 0.3)):
        found = replace(fit(made), calibration=calibration, reason="")
        plots.reliability(tmp_path / "reliability.png", found, made, "a model")
        drawn = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "reliability.png")))
        dark.append(int((drawn[..., :3].max(-1) < 60).sum()))
    assert dark[1] > dark[0] + 3000, "three lines across the axes"


def test_organs_have_their_own_colours(tmp_path, scores):
    plots.box_plots(tmp_path / "box.png", scores(spleen=(0.2, 0.5, 0.9)), "a model")
    near = np.abs(colours(tmp_path / "box.png") - 255 * np.array(plots.colour("spleen", 0.25)))
    assert near.max(1).min() <= 2


def test_differences_of_pairs(tmp_path):
    a = np.array([0.7, 0.8, 0.9])
    plots.differences(tmp_path / "d.png", {"liver": (a, a), "spleen": (a, a - 0.1)},
                      {"liver": None, "spleen": (-0.12, -0.08)}, "A", "B", "3 cases")
    assert len(colours(tmp_path / "d.png"))


def test_a_plot_that_cannot_be_written(tmp_path, scores):
    with pytest.raises(OutputError):
        plots.box_plots(tmp_path / "none" / "box.png", scores(liver=(0.9,)), "a model")
