"""`layerwise summary`."""

from argparse import Namespace

from . import card


def run(options: Namespace) -> None:
    """Show what is in a model file."""
    model, kept = card.load(options.model)
    model.summary()
    if kept.feature_names:
        print(f"Columns: {', '.join(kept.feature_names)}")
    print(f"Classes: {', '.join(kept.class_names)}" if kept.class_names else f"Predicts: {kept.target or 'a number'}")
