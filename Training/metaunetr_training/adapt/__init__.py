"""A model learns from the corrections that its user makes.

    cases      which organs of which CTs a person has corrected
    remember   a copy of such a CT that does not identify the patient
    settings   how the model is trained on them
    gain       Dice and NSD of held-out cases before and after
    run        all steps; a run that was killed goes on
    files      names of files and the fewest cases, for programs without PyTorch

PyTorch, NumPy, SciPy, SimpleITK and safetensors are all it needs, so that it runs in 3D Slicer.
"""
