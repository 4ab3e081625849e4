"""The training pipeline of MetaUNETR: from raw data sets to a bundle, and the paper's experiments.

    recipe         one YAML file: everything a run depends on
    data/          raw data sets → checked, resampled, memory-mapped cases with folds
    augmentation/  on the device
    training/      losses, schedule, the loop, checkpoints
    evaluation/    whole volumes against references: tables, plots, comparison, calibration
    export/        bundles for this project and for MONAI, ONNX
    experiments/   mixers, stages and CKA, as in the paper; baselines
    cli/           one file a command
"""
