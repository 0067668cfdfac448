"""Pipelines: what they yield, and that they go on, bit for bit, from wherever they were left."""

import gc
import itertools
import json
import threading
import time

import numpy as np
import pytest

from layerwise import InputSpec, config, ops
from layerwise.data import AUTOTUNE, Dataset

N = 23


def numbers(n=N):
    return Dataset.from_tensor_slices(np.arange(n))


def unsized(n=N):
    return Dataset.from_generator(lambda: iter(range(n)))


def noisy(x, rng):
    return x + rng.random()


def stretch(x):
    return np.full(2, x)


def total(window):
    return np.int64(sum(int(x) * 10**i for i, x in enumerate(window)))


PIPELINES = {
    "slices": numbers,
    "nested": lambda: Dataset.from_tensor_slices({"a": np.arange(N), "b": (np.eye(N), np.ones(N))}).batch(4),
    "generator": unsized,
    "sized generator": lambda: Dataset.from_generator(lambda: range(N), length=N).batch(5),
    "shuffle": lambda: numbers().shuffle(seed=1).batch(4),
    "shuffle, no seed": lambda: numbers().shuffle().batch(4),
    "buffer": lambda: numbers().shuffle(5, seed=1).batch(4, drop_remainder=True),
    "buffer, unsized": lambda: unsized().shuffle(5, seed=1).batch(4),
    "shuffle, unsized": lambda: unsized().shuffle(seed=1),
    "same order": lambda: numbers().shuffle(seed=1, reshuffle_each_iteration=False),
    "map": lambda: numbers().map(stretch).shuffle(seed=2).batch(3),
    "random map": lambda: numbers().map(noisy, seed=3).shuffle(seed=2).batch(3).prefetch(2),
    "map of batches": lambda: unsized().batch(3).map(noisy, seed=3),
    "shuffled batches": lambda: numbers().batch(3).shuffle(seed=4),
    "window": lambda: numbers().shuffle(seed=1).skip(3).take(11).batch(2),
    "shuffled window": lambda: numbers().skip(3).take(11).shuffle(seed=1),
    "dictionaries, unsized": lambda: unsized().map(lambda x: {"x": x, "y": (x, stretch(x))}).batch(4),
    "window, unsized": lambda: unsized().skip(3).take(11).batch(2),
    "repeat": lambda: numbers().shuffle(seed=1).repeat(3).batch(4),
    "repeat, unsized": lambda: unsized(5).shuffle(3, seed=1).repeat(4),
    "endless": lambda: numbers().shuffle(seed=1).repeat().take(60),
    "cache": lambda: unsized().map(noisy, seed=1).cache().shuffle(seed=1).batch(4),
    "cached shuffle": lambda: numbers().shuffle(seed=1).cache().batch(4),
    "shuffled zip": lambda: Dataset.zip(numbers(), numbers().map(stretch)).shuffle(seed=1),
    "zip": lambda: Dataset.zip(numbers().shuffle(seed=1), numbers(30).map(stretch)).batch(4),
    "parallel map": lambda: numbers().map(noisy, 3, seed=3).shuffle(seed=2).batch(4),
    "parallel map, unsized": lambda: unsized().map(stretch, 2).batch(4),
    "filter, unsized": lambda: numbers().shuffle(seed=1).filter(lambda x: x % 3 > 0).batch(2),
    "windows": lambda: numbers().shuffle(seed=1).window(5, 2, 2).map(total),
    "windows apart, unsized": lambda: unsized().window(2, 5, drop_remainder=True).map(total),
    "windows of the middle": lambda: numbers().window(3, 4, 3, drop_remainder=True).map(total),
    "windows of pairs": lambda: numbers().enumerate().window(4).map(lambda i, x: (total(i), total(x))),
    "flat map, unsized": lambda: numbers().shuffle(seed=1).flat_map(lambda n: numbers(n % 4).shuffle(seed=n)),
    "flat map of unknown lengths, unsized": lambda: numbers().flat_map(lambda n: unsized(int(n) % 4)).batch(3),
    "interleave, unsized": lambda: numbers().shuffle(seed=2).interleave(lambda n: numbers(n % 5), 3, 2),
    "padded batch": lambda: numbers().shuffle(seed=1).map(lambda n: np.ones(n % 5)).padded_batch(4),
    "padded batch, unsized": lambda: unsized().map(lambda n: np.ones((n % 5, 2))).padded_batch(4),
    "unbatch, unsized": lambda: numbers().shuffle(seed=1).batch(4).unbatch(),
    "concatenate": lambda: numbers().shuffle(seed=1).concatenate(numbers(9).map(lambda x: -x)).shuffle(seed=2),
    "concatenate, unsized": lambda: unsized(5).concatenate(unsized(4)).batch(2),
    "enumerate": lambda: numbers().shuffle(seed=1).enumerate(3).batch(4),
    "enumerate, unsized": lambda: unsized().enumerate(),
    "shard": lambda: numbers().shuffle(seed=1).shard(4, 1).batch(2),
    "shard, unsized": lambda: unsized().shard(5, 3),
    "range": lambda: Dataset.range(3, 40, 4, output_type="float32").shuffle(seed=1).batch(3),
    "tensors": lambda: Dataset.from_tensors((np.ones(2), [3])).repeat(4),
    "sample": lambda: Dataset.sample_from_datasets([numbers().shuffle(seed=1), numbers(9)], [0.7, 0.3], seed=1),
    "sample, unsized": lambda: Dataset.sample_from_datasets([unsized(), numbers(9)], None, 1, True),
    "zip, unsized": lambda: Dataset.zip(unsized(), numbers().shuffle(seed=1)).prefetch(),
}


def flat(elements):
    """Elements as something that compares exactly."""
    if isinstance(elements, dict):
        return {key: flat(part) for key, part in elements.items()}
    if isinstance(elements, list | tuple):
        return [flat(part) for part in elements]
    return np.asarray(elements).tolist()


@pytest.mark.parametrize("name", PIPELINES)
def test_a_restored_pipeline_goes_on_bit_for_bit(name):
    make = PIPELINES[name]
    whole = make()
    start = whole.state()
    epochs = [flat(list(whole)) for _ in range(3)]
    for stop in (0, 1, len(epochs[1]) // 2, len(epochs[1])):
        broken = make()
        broken.restore(start)  # the seeds of the first one, where none are given
        list(broken)
        loop = iter(broken)
        head = flat(list(itertools.islice(loop, stop)))
        state = json.loads(json.dumps(broken.state()))
        assert state == loop.state()
        assert (state["epoch"], state["position"]) == (1, stop)
        fresh = make()
        fresh.restore(state)
        assert head + flat(list(fresh)) == epochs[1]
        assert fresh.state()["epoch"] == 2
        assert flat(list(fresh)) == epochs[2]


@pytest.mark.parametrize("name", PIPELINES)
def test_the_length_is_right_or_unknown(name):
    data = PIPELINES[name]()
    n = len(list(data))
    if "unsized" in name or name in ("generator", "map of batches", "cache"):
        with pytest.raises(TypeError, match="length of this dataset is unknown"):
            len(data)
    else:
        assert len(data) == n
    assert data


def test_an_endless_dataset_says_so():
    data = numbers().repeat()
    with pytest.raises(TypeError, match="infinite"):
        len(data)
    assert len(data.take(100)) == 100
    assert [int(x) for x in itertools.islice(data, 22, 25)] == [22, 0, 1]
    assert list(numbers(0).repeat()) == []
    assert list(unsized(0).repeat()) == []
    assert len(numbers().repeat(0)) == 0
    assert len(unsized().repeat(0)) == 0
    assert len(unsized().take(0)) == 0
    with pytest.raises(TypeError, match="infinite"):
        len(unsized().repeat().batch(2))


def test_shuffles_cover_everything_differ_and_repeat():
    data = numbers(100).shuffle(seed=5)
    first, second = [[int(x) for x in data] for _ in range(2)]
    assert sorted(first) == sorted(second) == list(range(100))
    assert first != second != list(range(100))
    again = numbers(100).shuffle(seed=5)
    assert [int(x) for x in again] == first
    assert [int(x) for x in numbers(100).shuffle(seed=6)] != first
    for source in numbers(100), unsized(100):
        buffered = [int(x) for x in source.shuffle(10, seed=5)]
        assert sorted(buffered) == list(range(100))
        assert all(x < i + 10 for i, x in enumerate(buffered))
        assert buffered != list(range(100))
    assert [int(x) for x in numbers(100).shuffle(10, seed=5)] == list(unsized(100).shuffle(10, seed=5))
    kept = numbers(100).shuffle(seed=5, reshuffle_each_iteration=False)
    assert flat(list(kept)) == flat(list(kept))


def test_a_buffer_longer_than_a_block_of_random_words():
    assert sorted(unsized(5000).shuffle(100, seed=0)) == list(range(5000))


def test_shuffle_without_a_seed_follows_numpys_global_seed():
    orders = []
    for _ in range(2):
        np.random.seed(3)
        orders.append(flat(list(numbers().shuffle())))
    assert orders[0] == orders[1]


def test_each_pass_of_repeat_is_shuffled_anew():
    data = numbers(50).shuffle(seed=1).repeat(2)
    epoch = flat(list(data))
    assert sorted(epoch[:50]) == sorted(epoch[50:]) == list(range(50))
    assert len({tuple(part) for part in (epoch[:50], epoch[50:], flat(list(data))[:50])}) == 3


def test_resuming_indexed_data_computes_only_what_follows():
    seen = []
    data = numbers().map(lambda x: seen.append(int(x)) or x).shuffle(seed=1).batch(2)
    data.restore({"epoch": 4, "position": 10, "seeds": [1]})
    assert sum(map(len, data)) == len(seen) == 3


def test_elements_keep_their_structure():
    data = Dataset.from_tensor_slices({"x": np.arange(6).reshape(3, 2), "y": ([1, 2, 3], ["a", "b", "c"])})
    (batch,) = data.batch(3)
    assert batch["x"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert batch["y"][1].tolist() == ["a", "b", "c"]
    element = list(data)[1]
    assert flat(element) == {"x": [2, 3], "y": [2, "b"]}
    assert flat(list(data.map(lambda element: element["x"].sum()))) == [1, 5, 9]


def test_the_users_arrays_cannot_be_written_to():
    array = np.zeros((2, 3))
    for data in Dataset.from_tensor_slices(array), Dataset.from_generator(lambda: iter(np.ones((2, 3)))).cache():
        with pytest.raises(ValueError, match="read-only"):
            next(iter(data))[0] = 1
    assert array.flags.writeable
    assert not array.any()


def test_cache_reads_its_source_once():
    calls = []
    data = Dataset.from_generator(lambda: calls.append(1) or iter(range(3))).cache()
    next(iter(data))  # a loop left early keeps nothing
    assert [list(data), list(data), list(data)] == [[0, 1, 2]] * 3
    assert len(calls) == 2


def test_random_map_depends_on_seed_epoch_and_position_only():
    data = Dataset.from_tensor_slices(np.zeros(5)).map(noisy, seed=1)
    first, second = flat(list(data)), flat(list(data))
    assert len(set(first + second)) == 10
    assert flat(list(Dataset.from_tensor_slices(np.zeros(9)).map(noisy, seed=1)))[:5] == first


def workers():
    return [t for t in threading.enumerate() if t.name == "layerwise-prefetch"]


def wait_until_no_worker_is_left():
    for _ in range(500):
        if not workers():
            return
        time.sleep(0.01)
    raise AssertionError(f"still alive: {workers()}")


@pytest.mark.parametrize("stop", [0, 1, 3])
def test_prefetch_thread_ends_when_the_loop_is_left(stop):
    closed = threading.Event()

    def count():
        try:
            yield from itertools.count()
        finally:
            closed.set()

    loop = iter(Dataset.from_generator(count).prefetch(2).map(lambda x: x))
    assert [next(loop) for _ in range(stop)] == list(range(stop))
    del loop
    gc.collect()
    wait_until_no_worker_is_left()
    assert closed.is_set() == (stop > 0)  # without a first element it never began


def test_prefetch_thread_ends_with_the_loop():
    assert list(unsized().prefetch(3)) == list(range(N))
    wait_until_no_worker_is_left()


def test_prefetch_works_ahead_but_no_further_than_its_buffer():
    made = []

    def count():
        for i in range(10):
            made.append(i)
            yield i

    loop = iter(Dataset.from_generator(count).prefetch(2))
    next(loop)
    for _ in range(500):
        if len(made) == 4:  # one handed out, two waiting, one in the thread's hand
            break
        time.sleep(0.01)
    time.sleep(0.02)
    assert len(made) == 4


def test_prefetch_passes_exceptions_on_in_their_place():
    def fail():
        yield 1
        raise KeyError("broken record")

    loop = iter(Dataset.from_generator(fail).prefetch(4))
    assert next(loop) == 1
    with pytest.raises(KeyError, match="broken record"):
        next(loop)
    wait_until_no_worker_is_left()


def test_two_loops_at_once_are_two_epochs():
    data = numbers().shuffle(seed=1)
    a, b = iter(data), iter(data)
    pairs = [(int(next(a)), int(next(b))) for _ in range(9)]
    assert [x for x, _ in pairs] != [y for _, y in pairs]
    assert [a.state()["epoch"], b.state()["epoch"]] == [0, 1]
    assert next(b) in range(N)
    assert data.state() == b.state() != a.state()


@pytest.mark.parametrize(("mistake", "message"), [
    (lambda: Dataset.from_tensor_slices((np.zeros(3), np.zeros(4))), r"equal length, got lengths \[3, 4\]"),
    (lambda: Dataset.from_tensor_slices(3), "at least one axis, got 3"),
    (lambda: Dataset.from_generator(iter([1])), "expected a function that returns a new iterator"),
    (lambda: list(Dataset.from_generator(lambda: range(3), length=4)), "length=4, but the generator had 3 elements"),
    (lambda: list(Dataset.from_generator(lambda: range(9), length=4)), "length=4, .* had 5 or more elements"),
    (lambda: Dataset.zip(), "expected datasets, got nothing"),
    (lambda: Dataset.zip(numbers(), [1]), "expected datasets, got .*, list"),
    (lambda: numbers().batch(0), "batch_size: got 0, expected a whole number >= 1"),
    (lambda: numbers().batch(2.5), "batch_size: got 2.5, expected a whole number"),
    (lambda: numbers().take(-2), "take: count: got -2, expected a whole number >= 0"),
    (lambda: numbers().repeat(-2), "repeat: count: got -2, expected a whole number >= 0"),
    (lambda: numbers().prefetch(-2), "prefetch: buffer_size"),
    (lambda: Dataset.zip((numbers(), ())), "expected datasets, got nothing"),
    (lambda: list(Dataset.from_generator(lambda: [(1, 2)], ("int32",))), "expected elements in the form"),
    (lambda: list(Dataset.from_generator(lambda: [[1, 2]], "int32", (3,))), r"of shape \(3,\), got \(2,\)"),
    (lambda: numbers().skip(True), "skip: count"),
    (lambda: numbers().prefetch(0), "prefetch: buffer_size"),
    (lambda: numbers().shuffle(0), "shuffle: buffer_size"),
    (lambda: numbers().shuffle(seed=-1), "shuffle: seed"),
    (lambda: numbers().map(noisy, seed="a"), "map: seed"),
    (lambda: numbers().repeat().shuffle(), "endless dataset needs a buffer_size"),
    (lambda: numbers().repeat().cache(), "cache before repeat"),
    (lambda: list(unsized().map(np.zeros).batch(3)), r"elements of one shape, got \[\(0,\), \(1,\), \(2,\)\]"),
    (lambda: list(unsized().map(lambda i: (i,) * (1 + i % 2)).batch(3)), "elements of one structure"),
    (lambda: list(unsized().map(lambda i: {i: i}).batch(3)), "elements of one structure"),
    (lambda: numbers().map(noisy, 0), "map: num_parallel_calls: got 0"),
    (lambda: numbers().window(0), "window: size: got 0"),
    (lambda: numbers().window(1, stride=0), "window: stride: got 0"),
    (lambda: list(numbers().flat_map(lambda x: [x])), "flat_map: got a list, expected a Dataset"),
    (lambda: list(numbers().interleave(lambda x: x)), "interleave: got a int64, expected a Dataset"),
    (lambda: numbers().concatenate([1]), "concatenate: got a list, expected a Dataset"),
    (lambda: numbers().shard(3, 3), "shard: index: got 3, expected a number below num_shards=3"),
    (lambda: list(numbers().unbatch()), "unbatch: expected arrays with at least one axis"),
    (lambda: list(Dataset.from_tensors(([1], [1, 2])).unbatch()), r"unbatch: .* got lengths \[1, 2\]"),
    (lambda: list(unsized().map(np.ones).padded_batch(3, (1,))), r"expected room for elements of sizes \(2,\)"),
    (lambda: list(unsized().map(np.ones).padded_batch(3, ())), r"padded_shapes: got \(\) for elements of shape"),
    (lambda: list(Dataset.range(3).map(lambda n: np.ones([1] * n)).padded_batch(3)), "elements of one rank"),
    (lambda: Dataset.sample_from_datasets([]), "sample_from_datasets: datasets"),
    (lambda: Dataset.sample_from_datasets([numbers()], [1, 2]), "weights: .*expected 1 numbers >= 0"),
    (lambda: numbers().restore([1]), "expected a dictionary from state"),
    (lambda: numbers().restore({"epoch": 0, "position": -1, "seeds": []}), "numbers of 0 or more"),
    (lambda: numbers().restore({"epoch": 0, "position": 24, "seeds": []}), "position 24 lies behind the 23 elements"),
    (lambda: numbers().restore({"epoch": 0, "position": 1, "seeds": [1]}), "state has 1 seeds, this dataset 0 steps"),
])  # fmt: skip
def test_mistakes(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()


# Data sets in data sets, and several of them


def ints(data):
    return [int(x) for x in data]


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("shift", [1, 2, 7])
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("drop", [True, False])
def test_windows(size, shift, stride, drop):
    starts = range(0, N, shift)
    expected = [list(range(start, min(start + size * stride, N), stride)) for start in starts]
    expected = [window for window in expected if len(window) == size or not drop]
    for source in numbers(), unsized():
        assert [ints(window) for window in source.window(size, shift, stride, drop)] == expected
    assert len(numbers().window(size, shift, stride, drop)) == len(expected)


def test_windows_have_the_structure_of_elements():
    data = Dataset.zip((numbers(4), {"a": numbers(4)})).window(3)
    assert [(ints(x), ints(rest["a"])) for x, rest in data] == [([0, 1, 2], [0, 1, 2]), ([3], [3])]
    assert isinstance(next(iter(data))[0], Dataset)


def test_interleave_is_tensorflows():
    data = Dataset.range(1, 6).interleave(lambda x: Dataset.from_tensors(x).repeat(6), cycle_length=2, block_length=4)
    expected = "1111 2222 11 22 3333 4444 33 44 5555 55"  # its documentation's example
    assert "".join(map(str, ints(data))) == expected.replace(" ", "")
    assert ints(Dataset.range(3).interleave(lambda n: numbers(2 * int(n)), 9)) == [0, 0, 1, 1, 2, 3]


def test_padded_batches():
    ragged = Dataset.range(1, 4).map(lambda n: (np.full(n, n), {"text": "a" * int(n), "part": np.ones((n, 2))}))
    (numbers_, rest), _ = ragged.padded_batch(2)
    assert numbers_.tolist() == [[1, 0], [2, 2]]
    assert rest["text"].tolist() == ["a", "aa"]
    assert rest["part"].shape == (2, 2, 2)
    shapes = ((4,), {"text": (), "part": (None, -1)})
    values = (-1, {"text": "", "part": 7.0})
    (numbers_, rest), *_ = ragged.padded_batch(3, shapes, values)
    assert numbers_.tolist() == [[1, -1, -1, -1], [2, 2, -1, -1], [3, 3, 3, -1]]
    assert rest["part"][0].tolist() == [[1, 1], [7, 7], [7, 7]]
    assert len(list(ragged.padded_batch(2, drop_remainder=True))) == 1


def test_samples_follow_their_weights_and_end():
    a, b = numbers(0).concatenate(Dataset.range(2000)), Dataset.range(-2000, 0)
    drawn = ints(Dataset.sample_from_datasets([a, b], [3, 1], seed=0).take(1000))
    assert 0.2 < np.mean(np.array(drawn) < 0) < 0.3
    assert [x for x in drawn if x >= 0] == list(range(sum(x >= 0 for x in drawn)))
    data = Dataset.sample_from_datasets([numbers(), unsized(5)], seed=1)
    assert sorted(ints(data)) == sorted([*range(N), *range(5)])
    assert ints(data) != ints(data)
    data = Dataset.sample_from_datasets([numbers(), numbers(5)], seed=1, rerandomize_each_iteration=False)
    assert ints(data) == ints(data)
    assert len(ints(Dataset.sample_from_datasets([numbers(), numbers(3)], [0, 1], seed=1))) == 3
    stopped = ints(Dataset.sample_from_datasets([numbers(), numbers(3)], seed=1, stop_on_empty_dataset=True))
    assert len(stopped) < N


def test_what_data_sets_say_of_themselves():
    assert (numbers().cardinality(), unsized().cardinality(), numbers().repeat().cardinality()) == (N, -2, -1)
    assert numbers().reduce(np.int64(0), lambda s, x: s + x) == sum(range(N))
    assert numbers().enumerate().reduce(0, lambda s, pair: s + int(pair[0])) == sum(range(N))
    assert numbers().apply(lambda data: data.take(2)).cardinality() == 2
    tensors = numbers(3).map(lambda x: {"a": ops.convert_to_tensor(x, "float32"), "b": "text"})
    (first, *_) = tensors.as_numpy_iterator()
    assert type(first["a"]) is np.ndarray
    assert first["b"] == "text"
    assert [[int(x) for x in window] for window in numbers(3).window(2).as_numpy_iterator()] == [[0, 1], [2]]


def test_element_spec():
    data = Dataset.from_tensor_slices({"x": np.ones((5, 3), "float32"), "y": ["a"] * 5})

    def said(data):
        return {key: (spec.shape, spec.dtype) for key, spec in data.element_spec.items()}

    assert said(data) == {"x": ((3,), "float32"), "y": ((), "string")}
    assert said(data.batch(2).prefetch()) == {"x": ((None, 3), "float32"), "y": ((None,), "string")}
    assert said(data.batch(2, drop_remainder=True)) == {"x": ((2, 3), "float32"), "y": ((2,), "string")}
    assert said(data.batch(2).unbatch()) == said(data)
    assert numbers().window(2).element_spec.shape == ()
    again = Dataset.from_generator(lambda: iter(data), output_signature=data.element_spec)
    assert flat(list(again)) == flat(list(data))
    with pytest.raises(ValueError, match="no elements"):
        _ = numbers(0).element_spec


def test_files_are_listed(tmp_path):
    for name in "b.txt", "a.txt", "c.csv":
        (tmp_path / name).touch()
    assert [str(x) for x in Dataset.list_files(str(tmp_path / "*.txt"), shuffle=False)] == [
        str(tmp_path / name) for name in ("a.txt", "b.txt")
    ]
    names = Dataset.list_files([tmp_path / "*.txt", tmp_path / "*.csv"], seed=1)
    assert len({tuple(map(str, names)) for _ in range(20)}) > 1
    with pytest.raises(ValueError, match=r"list_files: no file fits .*none"):
        Dataset.list_files(str(tmp_path / "none*"))


def test_parallel_map_keeps_the_order_and_works_side_by_side():
    together = threading.Barrier(3, timeout=20)

    def slow(x):
        if x < 3:
            together.wait()  # only three at the same time get past it
        time.sleep(0.002 * (int(x) % 3 == 0))
        return x

    assert ints(numbers().map(slow, num_parallel_calls=3)) == list(range(N))
    together.reset()
    assert [ints(batch) for batch in numbers(6).map(slow, 3).batch(3)] == [[0, 1, 2], [3, 4, 5]]
    assert ints(numbers(40).map(lambda x: x, num_parallel_calls=AUTOTUNE).filter(lambda x: x > 37)) == [38, 39]


def test_parallel_map_raises_in_its_place_sees_the_settings_and_ends():
    def inverse(x):
        return config.floatx(), 1 / (3 - int(x)) if x < 4 else 0

    with config.override(floatx="float64"):
        loop = iter(numbers().map(inverse, num_parallel_calls=4))
        assert [next(loop)[0] for _ in range(3)] == ["float64"] * 3
        with pytest.raises(ZeroDivisionError):
            next(loop)

    def broken():
        yield from range(3)
        raise KeyError("broken record")

    loop = iter(Dataset.from_generator(broken).map(lambda x: x, num_parallel_calls=8))
    assert [next(loop) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="broken record"):
        next(loop)
    loop = iter(numbers().repeat().map(lambda x: x, num_parallel_calls=2))
    next(loop)
    del loop
    gc.collect()
    for _ in range(500):
        if not [t for t in threading.enumerate() if t.name.startswith("layerwise-map")]:
            break
        time.sleep(0.01)
    else:
        raise AssertionError("threads are left")


# As TensorFlow's programs have it


def test_arguments_that_tensorflow_takes():
    data = numbers(6).map(lambda x: x + 1, num_parallel_calls=AUTOTUNE, deterministic=False).cache("file")
    data = data.shuffle(6, seed=0).batch(4, num_parallel_calls=AUTOTUNE).prefetch(AUTOTUNE)
    assert [len(batch) for batch in data.repeat(-1).take(5)] == [4, 2, 4, 2, 4]
    assert [int(x) for x in numbers(3).take(-1)] == [0, 1, 2]
    assert len(numbers(3).skip(-1)) == 0
    with pytest.raises(TypeError, match="infinite"):
        len(numbers(3).repeat(-1))


def test_structures_of_datasets():
    a, b = numbers(3), numbers(4).map(lambda x: 10 * x)
    nested = Dataset.zip((a, {"b": b, "both": (a, b)}))
    assert len(nested) == 3
    assert sorted(int(y["both"][1]) for _, y in nested.shuffle(seed=1)) == [0, 10, 20]
    ((first, rest),) = Dataset.zip((a, {"b": b, "a": a})).batch(3)
    assert first.tolist() == rest["a"].tolist() == [0, 1, 2]
    assert list(rest) == ["b", "a"]
    assert [tuple(map(int, pair)) for pair in Dataset.zip((a, b))] == [(0, 0), (1, 10), (2, 20)]


def test_generators_that_say_what_they_give():
    def points(n):
        for i in range(n):
            yield [i, i], i

    signature = (InputSpec(shape=(None,), dtype="float32"), InputSpec(shape=(), dtype="int32"))
    for said in ({"output_signature": signature}, {"output_types": ("float32", np.int32), "output_shapes": ((2,), ())}):
        *_, (x, y) = Dataset.from_generator(points, args=(3,), **said)
        assert (x.dtype, x.tolist(), y.dtype, y.shape) == (np.float32, [2.0, 2.0], np.int32, ())
    (batch,) = Dataset.from_generator(lambda: [{"a": 1, "b": 2}] * 2, {"a": "int64", "b": bool}).batch(2)
    assert (batch["a"].tolist(), batch["b"].dtype) == ([1, 1], bool)
