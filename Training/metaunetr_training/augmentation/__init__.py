"""Patches changed as patients, positions and scanners differ; on the tensors' device.

    augment     which changes a patch gets, drawn per sample
    spatial     affine and elastic, in one resampling
    phase       another contrast phase: organs enhance more or less
    intensity   contrast, brightness, gamma, noise
    separable   blur and low resolution; linear maps along the axes
"""

from metaunetr_training.augmentation.augment import Augment

__all__ = ["Augment"]
