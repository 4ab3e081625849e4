"""Random changes of patches, as between patients, positions and scanners; on any device.

    augment     draws the changes of each sample
    spatial     affine and elastic deformation in one resampling
    phase       another contrast phase: organs enhance more or less
    intensity   contrast, brightness, gamma, noise
    separable   blur and low resolution; linear maps along the axes
"""

from metaunetr_training.augmentation.augment import Augment

__all__ = ["Augment"]
