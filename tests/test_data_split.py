"""Orders and splits are pure functions of their arguments."""

import numpy as np
import pytest

from layerwise.data import permutation, stratified_split


def test_permutation_is_fixed_for_all_time():
    assert permutation(8, seed=0).tolist() == [0, 3, 7, 5, 1, 2, 6, 4]
    assert sorted(permutation(1000, seed=3, key=(1, 2)).tolist()) == list(range(1000))
    assert len(permutation(0, seed=0)) == 0


def test_permutation_depends_on_seed_and_key():
    orders = [tuple(permutation(50, *at)) for at in [(0,), (1,), (0, (0,)), (0, (1,)), (0, (0, 1)), (0, (1, 0))]]
    assert len(set(orders)) == len(orders)
    assert tuple(permutation(50, 0, (1,))) == orders[3]


def test_every_class_keeps_its_share():
    labels = np.repeat([3, 5, 9], [100, 50, 7])
    rest, chosen = stratified_split(labels, 0.2)
    assert np.bincount(labels[chosen])[[3, 5, 9]].tolist() == [20, 10, 1]
    assert sorted([*rest, *chosen]) == list(range(157))
    assert (np.diff(rest) > 0).all()
    assert (np.diff(chosen) > 0).all()


def test_small_classes_have_an_example_on_each_side():
    labels = np.array(["a", "a", "b", "b", "c"])
    rest, chosen = stratified_split(labels, 0.01)
    assert labels[chosen].tolist() == ["a", "b"]
    rest, chosen = stratified_split(labels, 0.99)
    assert labels[rest].tolist() == ["a", "b", "c"]


def test_other_seed_other_split():
    labels = np.zeros(100, int)
    assert not np.array_equal(stratified_split(labels, 0.5, seed=0)[0], stratified_split(labels, 0.5, seed=1)[0])


@pytest.mark.parametrize("fraction", [0, 1, -0.5, float("nan")])
def test_a_fraction_that_is_none(fraction):
    with pytest.raises(ValueError, match="fraction: expected a number between 0 and 1"):
        stratified_split(np.zeros(4), fraction)


def test_labels_of_another_shape():
    with pytest.raises(ValueError, match=r"labels: expected .* got shape \(4, 1\)"):
        stratified_split(np.zeros((4, 1)), 0.5)
