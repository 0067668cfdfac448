"""The runtime under the native kernels: threads, forks, Ctrl-C, programs, and arguments meant to do harm."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise import config

native = pytest.importorskip("layerwise.backends._native", reason="the C++ kernels were not built")

OPCODES = {name: number for name, (number, *_) in native.INSTRUCTIONS.items()}

F32 = 5
DTYPES = ["bool", "uint8", "int32", "uint32", "int64", "float32", "float64"]


def vector(slot, n, offset=0):
    """The argument that is n float32 numbers in a slot, `offset` numbers from its start."""
    return (slot, 4 * offset, F32, [n], [1])


def fill(program, place, value, stage):
    """Add a call that sets all numbers of a vector."""
    number, store, n = (OPCODES["CONST"], 0, 0, 0, 0), (OPCODES["STORE"], 0, 0, 0, 0), place[3][0]
    program.add("fused", 1, [place], [F32, 1, n, 2, *number, *store], [value], stage)


def matmul(a, b):
    out = np.empty((a.shape[0], b.shape[1]), a.dtype)
    native.call("gemm", 1, [out, a, b, None], [0])
    return out


@pytest.fixture
def threads():
    """A function that sets the number of threads for one test."""
    before = native.num_threads()
    yield native.set_num_threads
    native.set_num_threads(before)


@pytest.fixture
def factors():
    rng = np.random.default_rng(0)
    return rng.normal(size=(300, 200)).astype("float32"), rng.normal(size=(200, 250)).astype("float32")


# Threads


def test_the_same_bits_for_any_number_of_threads(threads, factors):
    a, b = factors
    x = np.random.default_rng(0).normal(size=1_000_000).astype("float32")
    indices = np.random.default_rng(0).integers(0, 50, 20_000).astype("int32")
    results = []
    for count in (1, 2, 4, 2, 1):
        threads(count)
        assert native.num_threads() == count
        total, added = np.empty((), "float32"), np.empty((50, 50), "float32")
        native.call("reduce", 1, [total, x], [0, 1])
        native.call("scatter_add", 1, [added, indices, x.reshape(20_000, 50)], [0])
        results.append((matmul(a, b).tobytes(), total.tobytes(), added.tobytes()))
    assert len(set(results)) == 1


def test_thirty_two_threads_at_once(threads, factors):
    """Eager calls and one shared program; each result is that of a single thread."""
    threads(2)
    a, b = factors
    expected = matmul(a, b)
    program = native.Program([0, a.nbytes, b.nbytes, expected.nbytes])
    places = [(slot, 0, F32, x.shape, [x.shape[1], 1]) for slot, x in enumerate((a, b, expected), 1)]
    program.add("gemm", 1, [places[2], places[0], places[1], None], [0])
    start = threading.Barrier(32)

    def work(_):
        start.wait()
        for _ in range(5):
            out = np.empty_like(expected)
            program.run([a, b, out])
            if not (np.array_equal(out, expected) and np.array_equal(matmul(a, b), expected)):
                return False
        return True

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(work, range(32)))


def test_threads_are_set_through_the_configuration(threads, monkeypatch):
    monkeypatch.setitem(config._defaults, "num_threads", None)
    config.set_num_threads(3)
    assert native.num_threads() == 3
    with pytest.raises(ValueError, match="set_num_threads: got 0, expected >= 1"):
        native.set_num_threads(0)


def run_alone(code, **environment):
    """What `code` prints in an interpreter of its own, which must end within a minute."""
    if "LD_PRELOAD" in os.environ:
        pytest.skip("a process of its own would not run what the sanitizer watches")
    prologue = (
        "import os, signal, threading, time\nimport numpy as np\nfrom layerwise.backends import _native as native\n"
        "a = np.ones((300, 200), 'float32'); b = np.ones((200, 250), 'float32')\n"
        "def right():\n"
        "    out = np.empty((300, 250), 'float32')\n"
        "    native.call('gemm', 1, [out, a, b, None], [0])\n"
        "    return bool((out == 200).all())\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", prologue + code],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_two_hundred_forks():
    """Children compute while another thread of the parent keeps the pool busy; a child of a child does, too."""
    code = """
native.set_num_threads(2)
stop = threading.Event()
busy = threading.Thread(target=lambda: [right() for _ in iter(stop.is_set, True)])
busy.start()
def child(grandchild):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os._exit(0 if right() and (not grandchild or child(False) == 0) else 1)
codes = [child(i % 10 == 0) for i in range(200)]
stop.set(); busy.join()
print(codes.count(0), right())
"""
    assert run_alone(code).split() == ["200", "True"]


# Ctrl-C


@contextlib.contextmanager
def ctrl_c(seconds):
    """Presses Ctrl-C a moment after the block has begun."""
    timer = threading.Timer(seconds, signal.raise_signal, [signal.SIGINT])
    timer.start()
    yield
    timer.join()


def long_program(calls):
    """So many calls of some ten microseconds, the last of which copies buffer 1 to buffer 2."""
    n = 1 << 20
    program = native.Program([4 * n, 4, 4])
    for stage in range(1, calls):
        fill(program, vector(0, n), stage, stage)
    program.add("copy", 1, [vector(2, 1), vector(1, 1)])
    return program


@pytest.mark.parametrize("count", [1, 2])
def test_ctrl_c_stops_a_program_between_parts(threads, count):
    threads(count)
    program = long_program(100_000)
    source, flag = np.ones(1, "float32"), np.zeros(1, "float32")
    with pytest.raises(KeyboardInterrupt), ctrl_c(0.1):
        program.run([source, flag])
    assert flag[0] == 0
    program.run([source, flag], len(program) - 1)
    assert flag[0] == 1


def test_ctrl_c_waits_for_a_commit(threads):
    threads(2)
    program = long_program(4000)
    program.commit_from(0)
    begun = np.frombuffer(program.arena, "float32")[:1]
    source, flag = np.ones(1, "float32"), np.zeros(1, "float32")
    while not begun[0]:  # or else it came before the program
        with pytest.raises(KeyboardInterrupt), ctrl_c(0.05):
            program.run([source, flag])
    assert flag[0] == 1


def test_ctrl_c_stops_a_call(threads):
    threads(2)
    a = np.broadcast_to(np.float32(0), (6000, 6000))
    out = np.full((6000, 6000), 7, "float32")
    with pytest.raises(KeyboardInterrupt), ctrl_c(0.05):
        native.call("gemm", 1, [out, a, a, None], [0])
    assert (out == 7).any()


def test_a_signal_handler_may_call_kernels(threads, factors):
    """It gets scratch of its own; the program that it interrupts refuses to be entered again."""
    threads(2)
    expected, results = matmul(*factors), []
    program = long_program(100_000)
    buffers = [np.ones(1, "float32"), np.zeros(1, "float32")]

    def handler(*_):
        results.append(matmul(*factors))
        program.run(buffers)

    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(RuntimeError, match="handler runs the program that it interrupted"), ctrl_c(0.1):
            program.run(buffers)
    finally:
        signal.signal(signal.SIGINT, before)
    assert np.array_equal(results[0], expected)


# Programs


def test_a_program_replays_its_calls():
    program = native.Program([64, 32, 32])
    program.add("copy", 1, [vector(0, 8), vector(1, 8)], stage=0)
    fill(program, vector(0, 4, 8), 3.0, stage=0)
    program.add("copy", 1, [vector(2, 8), vector(0, 8, 4)], stage=1)
    x, y = np.arange(8, dtype="float32"), np.zeros(8, "float32")
    program.run([x, y])
    assert y.tolist() == [4, 5, 6, 7, 3, 3, 3, 3]
    x += 10
    program.run((x, y), 0, 1)
    assert y[0] == 4
    program.run([None, y], 2)
    assert y[0] == 14
    arena = np.frombuffer(program.arena, "float32")
    del program
    assert arena.tolist() == [*range(10, 18), 3, 3, 3, 3, 0, 0, 0, 0]


def test_a_program_runs_many_times_over_a_buffer_that_moves_on():
    program = native.Program([32, 16, 32])
    program.add("copy", 1, [vector(0, 4, 4), vector(0, 4)], stage=0)  # what was there before
    program.add("copy", 1, [vector(0, 4), vector(1, 4)], stage=1)
    program.add("copy", 1, [vector(2, 8), vector(0, 8)], stage=2)
    x, y = np.arange(12, dtype="float32"), np.zeros(8, "float32")
    program.run([x, y], times=3, moving=1)
    assert y.tolist() == [8, 9, 10, 11, 4, 5, 6, 7]
    program.run([x, y], times=0, moving=1)
    assert y[0] == 8
    program.run([x, y], times=2)
    assert y.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    for times, moving, said in [
        (4, 1, r"buffers\[0\]: got 48 bytes, expected 64"),
        (-1, 1, "times: got -1, expected >= 0"),
        (2**62, 1, r"buffers\[0\]: got too many times"),
        (1, 3, "moving: got slot 3, expected 1 to 2"),
    ]:
        with pytest.raises(ValueError, match=said):
            program.run([x, y], times=times, moving=moving)


def test_a_program_has_loops():
    """y[i] grows by x[i, j] for every j, and the arena's number by y[i]."""
    op = OPCODES
    code = [op["LOAD"], 0, 1, 0, 0, op["LOAD"], 1, 2, 0, 0, op["ADD"], 0, 0, 1, 0, op["STORE"], 0, 0, 0, 0]
    row, total = (2, 0, F32, [1], [1], [4]), vector(0, 1)
    program = native.Program([64, 24, 8])
    program.begin_loop(2)
    program.begin_loop(3)
    program.add("fused", 1, [row, row, (1, 0, F32, [1], [1], [12, 4])], [F32, 1, 1, 4, *code])
    program.end_loop()
    program.add("fused", 1, [total, total, row], [F32, 1, 1, 4, *code])
    program.end_loop()
    x, y = np.arange(6, dtype="float32"), np.zeros(2, "float32")
    program.run([x, y])
    assert y.tolist() == [3, 12]
    program.run([x, y])
    assert y.tolist() == [6, 24]
    assert np.frombuffer(program.arena, "float32")[0] == 15 + 30
    with pytest.raises(ValueError, match="got a part of a loop"):
        program.run([x, y], 0, 1)
    for steps, said in [([4, 0, 0], "got 3 steps"), ([8], "got elements at bytes 0 to 8"), ([2], "got step 2")]:
        program.begin_loop(2)
        with pytest.raises(ValueError, match=said):
            program.add("copy", 1, [(2, 0, F32, [1], [1], steps), vector(1, 1)])
        with pytest.raises(ValueError, match="got a part of a loop"):
            program.run([x, y])
        program.end_loop()
    with pytest.raises(ValueError, match="no loop that has begun"):
        program.end_loop()
    with pytest.raises(ValueError, match="times: got 0, expected >= 1"):
        program.begin_loop(0)


def test_a_program_refuses_buffers_that_do_not_fit():
    program = native.Program([0, 32, 32])
    program.add("copy", 1, [vector(2, 8), vector(1, 8)])
    x, y = np.zeros(8, "float32"), np.zeros(8, "float32")
    fixed = x.copy()
    fixed.flags.writeable = False
    program.run([fixed, y])
    for buffers, error, said in [
        ([x, fixed], ValueError, r"buffers\[1\]: .*read-only"),
        ([x, y[:7]], ValueError, r"buffers\[1\]: got 28 bytes, expected 32"),
        ([x, y[::-1]], ValueError, r"buffers\[1\]: .*not .*contiguous"),
        ([x], ValueError, "buffers: got 1, expected 2"),
        ([None, y], ValueError, r"buffers\[0\]: got None, but copy uses it"),
        ([x, 3], TypeError, r"buffers\[1\]: .*'int'"),
        ({x.nbytes: y}, TypeError, "buffers: got dict, expected a list or tuple"),
        ([x, np.zeros(33, "uint8")[1:]], ValueError, r"buffers\[1\]: got an unaligned buffer"),
    ]:
        with pytest.raises(error, match=f"Program.run: {said}"):
            program.run(buffers)
    for start, stop in [(-1, 1), (0, 2), (1, 0)]:
        with pytest.raises(ValueError, match=f"got calls {start} to {stop}, expected some of 0 to 1"):
            program.run([x, y], start, stop)


@pytest.mark.parametrize(
    ("args", "error", "said"),
    [
        ([(3, 0, F32, [1], [1])], ValueError, "got slot 3, expected 0 to 1"),
        ([(-1, 0, F32, [1], [1])], ValueError, "got slot -1"),
        ([(1, 0, F32, [17], [1])], ValueError, "got elements at bytes 0 to 64, expected .* slot 1 of 64 bytes"),
        ([(1, 60, F32, [2], [-16])], ValueError, "got elements at bytes -4 to 60"),
        ([(1, 2, F32, [1], [1])], ValueError, "got offset 2, expected a multiple of 4"),
        ([(1, 0, F32, [2**62, 2**62], [0, 0])], ValueError, "got an extent that overflows"),
        ([(1, 0, F32, [0, 2**62, 2**62], [0, 0, 0])], ValueError, "got an extent that overflows"),
        ([(1, 0, F32, [3], [2**62])], ValueError, "got an extent that overflows"),
        ([(1, 2**63 - 4, F32, [2], [1])], ValueError, "got an extent that overflows"),
        ([(1, 0, F32, [-1], [1])], ValueError, "got -1 as a size"),
        ([(1, 0, 7, [1], [1])], ValueError, "got dtype code 7, expected 0 to 6"),
        ([(1, 0, 2**32 + F32, [1], [1])], ValueError, "got dtype code"),
        ([(1, 0, F32, [1] * 9, [1] * 9)], ValueError, "got 9 sizes and 9 strides, expected as many, at most 8"),
        ([(1, 0, F32, [1], [])], ValueError, "got 1 sizes and 0 strides"),
        ([(1, 0, F32, [1])], ValueError, "got 4 fields"),
        ([(1, 0, F32, [2**64], [1])], ValueError, "int too big"),
        ([(1, 0.5, F32, [1], [1])], TypeError, "'float' object cannot be interpreted as an integer"),
        (["slot"], TypeError, "got str, expected a list or tuple"),
        ([], ValueError, "outputs: got 1, expected 0 to 0"),
    ],
)
def test_a_program_refuses_arguments_outside_its_slots(args, error, said):
    program = native.Program([64, 64])
    with pytest.raises(error, match=f"^copy: .*{said}"):
        program.add("copy", 1, args, [], [1.0])
    assert len(program) == 0


NUMBERS = st.one_of(
    st.integers(-9, 17), st.sampled_from([2**31, 2**62, 2**63 - 1, -(2**63), 2**64]), st.integers(-(2**63), 2**63 - 1)
)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_whatever_is_added_stays_inside_its_slots(data):
    """A call is accepted exactly if each of its elements lies inside the slot, and writes these and nothing else."""
    numbers = NUMBERS if data.draw(st.booleans()) else st.integers(-4, 6)
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES)))
    shape = data.draw(st.lists(numbers.filter(lambda n: n != 1), max_size=4))
    strides = [data.draw(numbers) for _ in shape]
    offset = data.draw(numbers) * data.draw(st.sampled_from([1, 4, 8]))
    program = native.Program([0, 256, 8])
    ends = [sorted((0, (n - 1) * s * dtype.itemsize)) for n, s in zip(shape, strides, strict=True)]
    low, high = offset + sum(a for a, _ in ends), offset + sum(b for _, b in ends)
    inside = 0 <= offset <= 256 if 0 in shape else min(low, 256 - dtype.itemsize - high) >= 0
    fits = all(-(2**63) <= n < 2**63 for n in [*shape, *strides, offset])
    try:
        code = DTYPES.index(dtype.name)
        program.add("copy", 1, [(1, offset, code, shape, strides), (2, 0, code, shape, [0] * len(shape))])
    except ValueError as error:
        if "args[0]" not in str(error):
            return  # inside, but nothing that copy writes to
        small = fits and max([0, *map(abs, [*shape, *strides, offset])]) < 2**13
        assert not (small and inside and min(shape, default=0) >= 0 and offset % dtype.itemsize == 0)
        return
    assert fits
    assert inside
    if np.prod([float(n) for n in shape]) > 1e6:
        return  # zero strides: right, and without end
    memory, expected = np.zeros(768, "uint8"), np.zeros(768, "uint8")
    program.run([memory[256:512], np.ones(8 // dtype.itemsize, dtype)])
    once = [0] if 0 in shape else [1 if s == 0 else n for n, s in zip(shape, strides, strict=True)]
    for index in itertools.product(*map(range, once)):
        at = 256 + offset + sum(i * s for i, s in zip(index, strides, strict=True)) * dtype.itemsize
        expected[at : at + dtype.itemsize] = np.ones(1, dtype).view("uint8")
    assert np.array_equal(memory, expected)


SMALL = st.sampled_from([0, 1, 1, 2, 2, 3, 3, 4, 5, 7])
HOSTILE = st.one_of(SMALL, NUMBERS)


@st.composite
def any_call(draw):
    """Arguments that a kernel might take: a few dtypes and sizes that repeat, and now and then a missing one."""
    sizes = draw(st.lists(SMALL, min_size=1, max_size=3))
    dtypes = draw(st.lists(st.sampled_from([1, 2, 5, 5, 6]), min_size=1, max_size=2))
    args = []
    for slot in range(1, draw(st.integers(1, 8)) + 1):
        shape = draw(st.lists(st.sampled_from(sizes), max_size=5))
        strides = [int(np.prod(shape[i + 1 :])) for i in range(len(shape))]
        if draw(st.booleans()):
            strides = [draw(st.sampled_from([s, s, s, 0])) for s in strides]
        missing = draw(st.integers(0, 9)) == 0
        args.append(None if missing else (slot, 0, draw(st.sampled_from(dtypes)), shape, strides))
    whole = draw(st.lists(draw(st.sampled_from([SMALL, HOSTILE])), max_size=24))
    real = draw(st.lists(st.floats(-2, 2, width=32), max_size=3))
    return draw(st.integers(0, 3)), args, whole, real


@pytest.mark.parametrize("kernel", native.kernels())
@settings(max_examples=60, deadline=None)
@given(call=any_call(), huge=HOSTILE, axis=st.integers(0, 4))
def test_kernels_refuse_or_compute(kernel, call, huge, axis):
    """No arguments make a kernel crash, or write outside its outputs."""
    outputs, args, whole, real = call
    sizes = [0 if arg is None else 8 * max(1, int(np.prod(arg[3]))) for arg in args]
    program = native.Program([0, *sizes])
    with contextlib.suppress(ValueError):
        program.add(kernel, min(outputs, len(args)), args, whole, real)
        blocks = [np.full(size + 128, 1, "uint8") for size in sizes]
        program.run([block[64 : 64 + size] for block, size in zip(blocks, sizes, strict=True)])
        assert all((block[:64] == 1).all() and (block[size + 64 :] == 1).all() for block, size in zip(blocks, sizes))
    repeated = [
        arg and (*arg[:3], [*arg[3][:axis], huge, *arg[3][axis:]], [*arg[4][:axis], 0, *arg[4][axis:]]) for arg in args
    ]
    with contextlib.suppress(ValueError):
        native.Program([0, *sizes]).add(kernel, min(outputs, len(args)), repeated, whole, real)


# Single calls


def test_a_call_refuses_what_no_kernel_takes():
    x = np.zeros(8, "float32")
    fixed = np.broadcast_to(np.float32(0), 8)
    for args, error, said in [
        (("abacus", 0, []), ValueError, "kernel: got 'abacus', expected one of .*gemm"),
        (("copy", 2, [x], [], [1.0]), ValueError, "copy: outputs: got 2, expected at most 1"),
        (("copy", 1, [x] * 65, [], [1.0]), ValueError, "copy: args: got more than 64"),
        (("copy", 1, x, [], [1.0]), TypeError, "copy: args: got numpy.ndarray, expected a list or tuple"),
        (("copy", 1, ["text"], [], [1.0]), TypeError, r"copy: args\[0\]: a bytes-like object is required, not 'str'"),
        (("copy", 1, [fixed], [], [1.0]), ValueError, r"copy: args\[0\]: .*read-only"),
        (("copy", 1, [x.astype(">f4")], [], [1.0]), TypeError, r"copy: args\[0\]: got an array of format '>f'"),
        (("copy", 1, [x.astype("float16")], [], [1.0]), TypeError, "got an array of format 'e', expected native bool"),
        (("copy", 1, [x.astype("uint64")], [], [1.0]), TypeError, "got an array of format"),
        (("copy", 1, [np.zeros(8, "f4,u1")["f0"]], [], [1.0]), ValueError, "stride of 5 bytes, expected a mul"),
        (("copy", 1, [np.zeros(9, "u1")[1:5].view("f4")], [], [1.0]), ValueError, "unaligned"),
        (("copy", 1, [np.zeros([1] * 9, "f4")], [], [1.0]), ValueError, "got 9 axes, expected at most 8"),
        (("copy", 1, [x], ["a"], [1.0]), TypeError, r"copy: ints\[0\]: 'str' object"),
        (("copy", 1, [x], [2**64], [1.0]), ValueError, r"copy: ints\[0\]: .*too big"),
        (("copy", 1, [x], [], [1.0, None]), TypeError, r"copy: reals\[1\]: must be real number, not NoneType"),
        (("copy", 1, [None], [], [1.0]), ValueError, "copy: "),
        (("copy", 1, [x], [], []), ValueError, "copy: "),
    ]:
        with pytest.raises(error, match=said):
            native.call(*args)
    assert not x.any()


def test_every_kernel_refuses_calls_without_arguments():
    for name in native.kernels():
        with pytest.raises(ValueError, match=r"^\w+: "):
            native.call(name, 0, [])
        with pytest.raises(ValueError, match=r"^\w+: "):
            native.Program([0]).add(name, 0, [None] * 3, [-1] * 9, [0.0])


# Instruction sets and memory


def test_each_instruction_set_computes(factors):
    before = native.isa()
    try:
        for name in native.isas():
            native.set_isa(name)
            assert native.isa() == name
            np.testing.assert_allclose(matmul(*factors), factors[0] @ factors[1], rtol=1e-4, atol=1e-4)
    finally:
        native.set_isa(before)
    oldest = native.isas()[0]
    assert run_alone("print(native.isa(), right())", LAYERWISE_ISA=oldest).split() == [oldest, "True"]
    with pytest.raises(ValueError, match="instruction set: got 'mmx', expected one that this processor has: "):
        native.set_isa("mmx")


def test_out_of_memory_is_an_error_that_passes():
    with pytest.raises(MemoryError, match="Program: arena: no memory for 1152921504606846976 bytes"):
        native.Program([2**60])
    code = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
try:
    native.Program([2**33])
except MemoryError as error:
    print(error)
print(right())
"""
    assert run_alone(code).splitlines() == ["Program: arena: no memory for 8589934592 bytes", "True"]


def test_memory_is_counted():
    before = config.memory_stats()
    program = native.Program([1 << 22])
    during = config.memory_stats()
    assert during["arena"] - before["arena"] == 1 << 22
    assert during["peak"] >= during["arena"] + during["scratch"]
    del program
    assert config.memory_stats()["arena"] == before["arena"]
