"""From prepared cases to a trained network.

    sampler      prepared cases → patches, each drawn from its own number
    fit          whether recipe and cases can end as a model
    losses       -log Dice + cross-entropy, where organs may be unannotated
    networks     a recipe's network; baselines
    finetune     weights to begin with from a bundle
    schedule     learning rate over iterations or a wall-clock budget
    average      moving average of the weights
    processes    one process or many
    memory       what a step frees is kept for the next
    step         one step: augmentation, forward, backward, optimizer
    checkpoint   everything that a run needs to go on, in one file
    journal      what is logged: CSV, TensorBoard, pictures
    validate     Dice of whole cases at the model spacing
    loop         all of it
    run          the folder of a run, for those who use it afterwards
"""
