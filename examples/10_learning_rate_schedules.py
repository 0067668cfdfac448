"""Learning-rate schedules: what each one looks like over 720 steps, and where the same training ends with it.

Run: python examples/10_learning_rate_schedules.py [--out FOLDER]
"""

import argparse
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from layerwise import datasets, layers, models, optimizers, utils
from layerwise.optimizers import schedules

EPOCHS, STEPS, RATE = 4, 720, 0.6  # 180 batches of 8 an epoch: their gradients are noisy
RATES = {
    "constant": RATE,
    "step": schedules.PiecewiseConstantDecay([240, 480], [RATE, RATE / 5, RATE / 25]),
    "exponential": schedules.ExponentialDecay(RATE, decay_steps=STEPS, decay_rate=0.02),
    "inverse time": schedules.InverseTimeDecay(RATE, decay_steps=STEPS, decay_rate=10),
    "polynomial": schedules.PolynomialDecay(RATE, decay_steps=STEPS, end_learning_rate=0.005, power=2),
    "cosine": schedules.CosineDecay(RATE, decay_steps=STEPS),
    "cosine, warm-up": schedules.CosineDecay(0.0, STEPS - 120, warmup_target=RATE, warmup_steps=120),
    "cosine, restarts": schedules.CosineDecayRestarts(RATE, first_decay_steps=240, t_mul=1, m_mul=0.7),
}


def train(rate, x, y, x_test, y_test):
    """Loss after each epoch, and accuracy on the test digits at the end."""
    utils.set_random_seed(0)
    model = models.Sequential([
        layers.Input((64,)),
        layers.Dense(32, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])
    model.compile(optimizers.SGD(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    losses = model.fit(x, y, epochs=EPOCHS, batch_size=8, verbose=0).history["loss"]
    return losses, model.evaluate(x_test, y_test, verbose=0)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for the picture (default: a new temporary one)")
    out = parser.parse_args().out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)

    (x, y), (x_test, y_test) = datasets.digits.load_data()
    data = x.reshape(-1, 64) / 255, y, x_test.reshape(-1, 64) / 255, y_test
    steps, epochs = np.arange(STEPS), np.arange(1, EPOCHS + 1)
    figure, (above, below) = plt.subplots(2, 8, figsize=(17, 5), layout="constrained", sharex="row", sharey="row")
    print(f"{'schedule':18} rate at step 0, 240, 480, 719       last loss   test accuracy")
    for ax, curve, (name, rate) in zip(above, below, RATES.items()):
        rates = np.array([float(rate(step)) if callable(rate) else rate for step in steps])
        losses, accuracy = train(rate, *data)
        shown = "".join(f"{rates[step]:8.4f}" for step in (0, 240, 480, 719))
        print(f"{name:18}{shown} {losses[-1]:14.4f} {accuracy:15.1%}")
        ax.plot(steps, rates)
        ax.set(title=name, xlabel="step")
        curve.semilogy(epochs, losses, "o-", markersize=3, color="tab:orange")
        curve.set(title=f"last loss {losses[-1]:.4f}", xlabel="epoch")
    above[0].set_ylabel("learning rate")
    below[0].set_ylabel("training loss")
    for ax in (*above, *below):
        ax.grid(alpha=0.3)
    figure.savefig(out / "schedules.png", dpi=120)
    print("\npicture:", out / "schedules.png")


if __name__ == "__main__":
    main()
