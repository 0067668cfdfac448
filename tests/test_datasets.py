"""The data sets: shapes, types and values as in Keras, from wherever the files are."""

import numpy as np
from sklearn.datasets import load_digits

from layerwise.datasets import digits


def test_digits_are_the_real_ones():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1438, 8, 8)
    assert x_test.shape == (359, 8, 8)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    ink = np.rint(np.concatenate([x_train, x_test]) * (16 / 255)).astype(int).reshape(-1, 64)
    original = load_digits()
    got = sorted(map(tuple, np.column_stack([ink, np.concatenate([y_train, y_test])])))
    assert got == sorted(map(tuple, np.column_stack([original.data.astype(int), original.target])))


def test_digits_split_is_fixed_and_stratified():
    (x_train, y_train), (_, y_test) = digits.load_data()
    (again, _), _ = digits.load_data()
    np.testing.assert_array_equal(x_train, again)
    counts = np.bincount(y_test)
    np.testing.assert_allclose(counts, 0.2 * (counts + np.bincount(y_train)), atol=0.5)
