"""Changes of images, random ones in training only, so that a model sees more than the data holds.

Each image of a batch is changed in its own way. With `training=False`, as in `evaluate` and `predict`, images pass
unchanged, but for layers that draw nothing. The numbers drawn come from the layer's own generator, whose state is saved
with the model. Beside images a layer takes what belongs to them, in a dict: see `ImageLayer`.
"""
