"""A perceptron learns AND and OR, and cannot learn XOR: no line has both 1s on one side. A hidden layer can.

Run: python examples/01_perceptron_and_or_xor.py
"""

import numpy as np

from layerwise.fundamentals import NeuralNetwork, Perceptron, categorical_crossentropy

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
TARGETS = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "XOR": [0, 1, 1, 0]}
EPOCHS = 1000


def learn(targets):
    """The neuron, and its mistakes in each epoch until there are none."""
    neuron = Perceptron(2, learning_rate=0.1)
    mistakes = []
    for _ in range(EPOCHS):
        mistakes.append(sum(abs(neuron.train(x, target)) for x, target in zip(CORNERS, targets)))
        if mistakes[-1] == 0:
            break
    return neuron, mistakes


def main():
    np.random.seed(1)
    for name, targets in TARGETS.items():
        neuron, mistakes = learn(targets)
        predictions = [neuron.predict(x) for x in CORNERS]
        line = f"{neuron.weights[0]:+.2f} x1 {neuron.weights[1]:+.2f} x2 {neuron.bias:+.2f} >= 0"
        if mistakes[-1] == 0:
            print(f"{name:3}  learned in {len(mistakes)} epochs: says 1 where {line}")
        else:
            print(f"{name:3}  not learned in {EPOCHS} epochs: {min(mistakes)} to {max(mistakes)} mistakes in each")
        print(f"     targets {targets}, predictions {predictions}\n")

    network = NeuralNetwork([2, 8, 2])
    one_hot = np.eye(2)[TARGETS["XOR"]]
    print("XOR with 8 hidden neurons, trained by backpropagation:")
    for step in range(501):
        if step % 100 == 0:
            loss = categorical_crossentropy(one_hot, network.forward(CORNERS))
            print(f"     step {step:3}  loss {loss:.4f}")
        network.backward(CORNERS, one_hot, learning_rate=0.5)
    print(f"     targets {TARGETS['XOR']}, predictions {network.forward(CORNERS).argmax(axis=1).tolist()}")


if __name__ == "__main__":
    main()
