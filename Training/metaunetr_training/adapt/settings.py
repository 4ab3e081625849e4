"""How a model is trained on a few corrected CTs: gently, for minutes."""

from __future__ import annotations

from dataclasses import replace

from metaunetr.bundle import Bundle
from metaunetr.network.sizes import FAMILY
from metaunetr.schema import Reader
from metaunetr_training.recipe import Augmentation, Inference, Network, Recipe, Training, Triple
from metaunetr_training.training.finetune import fine_tuning_recipe

NEVER = 1_000_000_000  # iterations

TRAINING = Training(
    iterations=1000,  # on a GPU; a CPU comes to the end of its minutes first
    max_minutes=None,
    batch_size=1,
    patch=(0, 0, 0),  # the model's
    more_patches=(),
    # AdamW changes weights by up to this a step, however small the gradient is, and corrected
    # labels are mostly what the model found by itself.
    learning_rate=1e-4,
    weight_decay=0.0,
    warmup=0.1,
    gradient_clip=1.0,
    ema=0.95,
    dataset_weights={},
    foreground=0.8,
    precision="auto",
    compile="no",
    workers=0,  # cutting patches takes a thousandth of a step
    validate_every=NEVER,  # see `train`
    validation_cases=2,
    checkpoint_every=20,
    seed=0,
)
AUGMENTATION = Augmentation(  # weaker than when a model is trained from random weights
    affine_probability=0.5, rotation_degrees=10, scale=(0.9, 1.1), shift_mm=10,
    elastic_probability=0.2, elastic_mm=3, elastic_pitch_mm=40,
    contrast_probability=0.3, contrast=(0.85, 1.2), brightness_probability=0.3, brightness=0.05,
    gamma_probability=0.2, gamma=(0.8, 1.25), noise_probability=0.2, noise=0.04,
    blur_probability=0.1, blur_mm=(1.0, 2.0),
    low_resolution_probability=0.1, low_resolution=(1.3, 2.0),
    phase_probability=0.0, phase_hu=0,
)


def recipe_of(start: Bundle, minutes: float, seed: int = 0) -> Recipe:
    """The recipe of one training: network, preprocessing, organs, patches and windows of `start`.

    Raises:
        BundleError: a recipe cannot describe the network.
    """
    recipe = fine_tuning_recipe(Recipe(
        name="adapt", organs=(), preprocessing=start.preprocessing,
        network=Network(FAMILY, "", "", {}, 0), training=TRAINING, augmentation=AUGMENTATION,
        inference=Inference(start.overlap, start.smallest, start.largest)), start)
    return replace(recipe, training=replace(
        recipe.training, max_minutes=minutes, more_patches=_more_patches(start), seed=seed))


def _more_patches(start: Bundle) -> tuple[Triple, ...]:
    """Sizes of patches (D, H, W) beside that of the model.

    Instance norm depends on what a patch shows, so a model that is trained on one size becomes
    worse with windows of another. The sizes are those that the model was trained on, by its card;
    where it names none, a low wide and a high narrow one, as windows may be.
    """
    try:
        recipe = start.card["training"]["recipe"]["training"]
        found = Reader("the card").read(tuple[Triple, ...], recipe["more_patches"])
    except (KeyError, TypeError, ValueError):  # cards of other programs may hold anything here
        found = ()
    low, high = start.smallest, start.largest
    return found or tuple(dict.fromkeys(
        size for size in ((low[0], *high[1:]), (high[0], *low[1:])) if size != start.patch))
