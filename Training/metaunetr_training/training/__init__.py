"""From prepared cases to a trained network.

    sampler       dataset of random patches, reproducible by patch number
    requirements  checks of a recipe and its cases before training
    losses        -log Dice + cross-entropy for partially annotated cases
    networks      the network of a recipe, or a baseline
    finetune      initial weights from a bundle
    schedule      learning rate over iterations or a wall-clock budget
    average       exponential moving average of the weights
    distributed   one process or many
    memory        settings of the C allocator
    step          augmentation, forward, backward, optimizer
    checkpoint    the complete state of a run in one file
    log           CSV files, TensorBoard, pictures
    pseudo_labels labels by a model of the organs that cases do not annotate
    validate      Dice of whole cases at the model spacing
    loop          the training loop
    run           the folder of a run
"""
