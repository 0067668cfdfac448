"""Training: what `compile` was given, sources of batches, steps, and the one loop over them."""
