import numpy as np
import SimpleITK as sitk

from analytic import analytic_image
from metaunetr.image import Image
from metaunetr.report.overlay import Scene
from metaunetr_training.evaluation.beside import picture
from metaunetr_training.evaluation.worst import Look, choose


def test_the_worst_case_of_each_organ_and_the_three_worst_of_all(scores):
    made = scores(liver=(0.9, 0.5, 0.8, 0.7), spleen=(0.0, 0.9, None, 0.8))
    looks = {look.file: look for look in choose(made)}
    assert {name: look.key for name, look in looks.items()} == {
        "liver.png": "balls/01", "spleen.png": "balls/00",
        "case_1.png": "balls/00", "case_2.png": "balls/01", "case_3.png": "balls/03",
    }
    assert looks["liver.png"].title == (
        "liver, the worst of 4: balls/01, Dice 0.500, NSD 0.250, HD95 4.0 mm")
    assert looks["case_2.png"].organs == ("liver", "spleen")
    assert "the second worst of 4 cases: mean Dice 0.700 of 2 organs" in looks["case_2.png"].title


def test_fewer_cases_than_pictures(scores):
    assert [look.file for look in choose(scores(liver=(0.9,)))] == ["liver.png", "case_1.png"]
    assert choose(scores(liver=(None,))) == []


def test_a_picture_shows_both_and_where_they_differ(tmp_path):
    image = analytic_image((3.0, 3.0, 4.0), extent=(144.0, 132.0, 120.0))
    labels = np.zeros(image.array.shape, np.uint8)
    labels[10:20, 15:30, 10:30] = 6
    nothing = np.zeros_like(labels)
    look = Look("liver.png", "balls/00", ("liver",), "liver, the worst of 1")
    for found in (labels, nothing, np.roll(labels, 8, axis=0)):
        scenes = [Scene.of(image, Image(array, image.grid)) for array in (labels, found)]
        picture(tmp_path / look.file, scenes, look.organs, look.title)
        drawn = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / look.file)))[..., :3]
        orange = (drawn[..., 0].astype(int) - drawn[..., 1] > 60).sum(axis=1)
        middle = len(orange) // 2
        assert orange[:middle].any()  # the reference, above
        assert orange[middle:].any() == found.any()
