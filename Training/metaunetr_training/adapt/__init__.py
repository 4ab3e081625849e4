"""A model learns from the corrections that its user makes.

    cases      which organs of which CTs a person has corrected
    settings   how the model is trained on them
    gain       Dice and NSD of held-out cases before and after
    run        all steps; a run that was killed goes on

PyTorch, NumPy, SciPy, SimpleITK and safetensors are all it needs, so that it runs in 3D Slicer.
"""
