"""Several devices in one process, and several processes: the numbers of one device; and what happens to the others
when one is lost."""

import ast
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import distributed
from layerwise import Variable, callbacks, config, distribution, grad, layers, models, ops, random
from layerwise.backends import load
from layerwise.cli import main

ROOT = Path(__file__).parents[1]
PROGRAM = str(Path(distributed.__file__))


@pytest.fixture
def xla():
    with config.override(backend="xla"):
        yield
        distribution.set_distribution(None)


@pytest.fixture(scope="module")
def reference():
    """Four epochs on one device."""
    with config.override(backend="xla"):
        return distributed.train("one")


def program(launcher, environment=None, **options):
    """Run tests/distributed.py on CPUs; one thread of XLA's a process, which share two cores."""
    flags = {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [sys.executable, *launcher, PROGRAM, json.dumps(options)],
        env={**os.environ, **flags, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=300,
    )


def told(run):
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout.splitlines()[-1])


def same_training(found, reference):
    """The sums of a step of 16 examples in another order, over 12 steps of Adam."""
    for name in ("loss", "val_loss", "predictions", "from an iterable"):
        np.testing.assert_allclose(found[name], reference[name], rtol=2e-5, atol=2e-6)
    for a, b in zip(found["weights"], reference["weights"], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def test_eight_devices_in_one_process(reference):
    """In a program that XLA compiles as it does for users, not quickly as in other tests."""
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
    found = told(program([], flags, modes=["data", "model"]))
    same_training(found["data"], reference)
    same_training(found["model"], reference)
    assert (found["data"]["kernel"], found["model"]["kernel"]) == ([6, 16], [6, 8])
    assert found["model"]["slot"] == [6, 8]


@pytest.mark.parametrize("processes", [2, 4])
def test_several_processes(reference, processes):
    launcher = ["-m", "layerwise", "launch", "-n", str(processes)]
    found = told(program(launcher, modes=["data", "model"]))
    same_training(found["data"], reference)
    same_training(found["model"], reference)
    assert found["data"]["rows here"] == distributed.BATCH // processes
    assert found["model"]["rows here"] == distributed.BATCH // (processes // 2)
    assert found["model"]["kernel"] == [6, 8]


def test_a_lost_process_ends_all_and_the_run_goes_on(reference, tmp_path):
    launcher, backup = ["-m", "layerwise", "launch", "-n", "2"], str(tmp_path / "backup")
    lost = program(launcher, modes=["model"], backup=backup, lose=1)
    assert lost.returncode == 1
    arguments = json.dumps({"modes": ["model"], "backup": backup, "lose": 1})
    assert lost.stderr.splitlines()[-1] == (
        f"layerwise: rank 1 was ended by SIGKILL; last checkpoint: {backup}/backup.safetensors; "
        f"to go on: layerwise launch -n 2 {PROGRAM} {shlex.quote(arguments)}"
    )
    assert os.listdir(backup) == ["backup.safetensors"]
    found = told(program(launcher, modes=["model"], backup=backup))["model"]
    same_training(found, reference)


def test_without_the_launcher_the_survivor_ends(tmp_path):
    """Both processes started by hand; the one that is left ends by itself, within the time-out."""
    environment = {
        "LAYERWISE_JOB_ADDRESSES": f"127.0.0.1:{20000 + os.getpid() % 20000}",
        "LAYERWISE_NUM_PROCESSES": "2",
    }
    options = json.dumps({"modes": ["data"], "lose": 1})
    flags = {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT / "src"), **environment}
    workers = [
        subprocess.Popen(
            [sys.executable, PROGRAM, options],
            env={**os.environ, **flags, "LAYERWISE_PROCESS_ID": str(rank)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for rank in range(2)
    ]
    try:
        assert workers[1].wait(300) == -9
        assert workers[0].wait(120) != 0
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


# The launcher


def test_a_program_that_fails(tmp_path, capfd):
    failing = tmp_path / "failing.py"
    failing.write_text(
        "import os, sys, time\nif os.environ['LAYERWISE_PROCESS_ID'] == '1': sys.exit(3)\ntime.sleep(60)\n"
    )
    assert main(["launch", "-n", "3", str(failing), "--epochs", "2"]) == 1
    line = f"rank 1 ended with exit code 3; last checkpoint: none; to go on: layerwise launch -n 3 {failing} --epochs 2"
    assert line in capfd.readouterr().err
    assert main(["launch", "nowhere.py"]) == 2
    assert "nowhere.py: no such file" in capfd.readouterr().err


def test_a_program_that_ends_well(tmp_path, capfd):
    talking = tmp_path / "talking.py"
    talking.write_text(
        "import os, sys\n"
        "names = 'PROCESS_ID', 'NUM_PROCESSES', 'BACKEND'\n"
        "print(*(os.environ[f'LAYERWISE_{name}'] for name in names), *sys.argv[1:])"
    )
    assert main(["launch", str(talking), "hello"]) == 0
    backend = os.environ.get("LAYERWISE_BACKEND") or "xla"
    assert capfd.readouterr().out == f"0 2 {backend} hello\n"  # the first one's alone


# Names


def test_nothing_below_jax_is_used():
    """What travels between processes is JAX's business."""
    for module in ("distribution.py", "backends/xla.py"):
        for node in ast.walk(ast.parse((ROOT / "src" / "layerwise" / module).read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {n.split(".")[0] for n in names} & {
                "socket",
                "multiprocessing",
                "pickle",
                "xmlrpc",
                "grpc",
                "asyncio",
            }


def test_meshes_and_layouts(xla):
    assert distribution.list_devices()[0] == "cpu:0"
    assert distribution.get_device_count("cpu") == len(distribution.list_devices("cpu")) >= 1
    assert distribution.list_devices("abacus") == []
    mesh = distribution.DeviceMesh((1, 1), ["batch", "model"], ["cpu:0"])
    assert (mesh.shape, mesh.axis_names, mesh.size("model")) == ((1, 1), ("batch", "model"), 1)
    layouts = distribution.LayoutMap(mesh)
    layouts["dense.*kernel"] = distribution.TensorLayout([None, "model"])
    layouts["exactly/this"] = ("model",)
    assert layouts["mlp/dense_2/kernel"].axes == (None, "model")
    assert layouts["exactly/this"].device_mesh is mesh
    assert layouts["nothing"] is None
    assert list(layouts) == ["dense.*kernel", "exactly/this"]
    layouts[".*kernel"] = (None, None)
    with pytest.raises(ValueError, match=r"several keys that fit, \['dense\.\*kernel', '\.\*kernel'\]"):
        layouts["dense/kernel"]
    del layouts[".*kernel"]
    assert len(layouts) == 2
    distributed = distribution.ModelParallel(layout_map=layouts, batch_dim_name="batch")
    assert distributed.variable_sharding("dense/kernel") == layouts["dense/kernel"].sharding
    assert distributed.variable_sharding("dense/bias") == distributed.replicated
    with distributed.scope():
        assert distribution.distribution() is distributed
    assert distribution.distribution() is None


WRONG = {
    "a mesh of the wrong size": (lambda: distribution.DeviceMesh((2, 3), ["a", "b"], ["cpu:0"]), "got 1 devices"),
    "an axis without a name": (lambda: distribution.DeviceMesh((1, 1), ["a"], ["cpu:0"]), "expected a name for each"),
    "a layout without a mesh": (lambda: distribution.TensorLayout([None]).sharding, "device_mesh is missing"),
    "an axis that is not there": (
        lambda: distribution.TensorLayout(["b"], distribution.DeviceMesh((1,), ["a"], ["cpu:0"])).sharding,
        r"got axes \['b'\], expected some of \('a',\)",
    ),
    "data parallelism on a grid": (
        lambda: distribution.DataParallel(distribution.DeviceMesh((1, 1), ["a", "b"], ["cpu:0"])),
        "expected one axis; see ModelParallel",
    ),
    "an unknown batch axis": (
        lambda: distribution.ModelParallel(
            layout_map=distribution.LayoutMap(distribution.DeviceMesh((1,), ["a"], ["cpu:0"])), batch_dim_name="b"
        ),
        "batch_dim_name: got 'b'",
    ),
    "no layout": (
        lambda: distribution.LayoutMap(distribution.DeviceMesh((1,), ["a"], ["cpu:0"])).update(kernel=3),
        "expected a TensorLayout or a tuple",
    ),
    "half of a job": (lambda: distribution.initialize("host:1"), "expected all three"),
    "a process too many": (lambda: distribution.initialize("host:1", 2, 2), r"process_id: got 2, expected 0 \.\.\. 1"),
}


@pytest.mark.parametrize(("do", "message"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_said(xla, do, message):
    with pytest.raises(ValueError, match=message):
        do()


def test_a_layout_is_set_once(xla):
    layouts = distribution.LayoutMap(distribution.DeviceMesh((1,), ["a"], ["cpu:0"]))
    layouts["kernel"] = ("a",)
    with pytest.raises(ValueError, match="'kernel' is there already"):
        layouts["kernel"] = (None,)


def test_a_layout_that_does_not_fit_names_the_variable(xla):
    layouts = distribution.LayoutMap(distribution.DeviceMesh((1,), ["a"], ["cpu:0"]))
    layouts["bias"] = (None, "a")
    with distribution.ModelParallel(layout_map=layouts).scope():
        model = models.Sequential([layers.Input((3,)), layers.Dense(2, name="out")])
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match=r"'out/bias': its layout has 2 axes, its shape is \(2,\); change"):
            model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)


def test_backends_of_one_device_say_so():
    with config.override(backend="numpy"):
        assert distribution.list_devices() == ["cpu:0"]
        assert distribution.is_first()
        distribution.initialize()
        for do in (lambda: distribution.DataParallel(), lambda: distribution.initialize("host:1", 1, 0)):
            with pytest.raises(RuntimeError, match=r"the numpy backend computes on one device.*LAYERWISE_BACKEND=xla"):
                do()


def test_distribute_tensor(xla):
    layout = distribution.TensorLayout(["a"], distribution.DeviceMesh((1,), ["a"], ["cpu:0"]))
    x = np.float32([1.0, 2.0])
    np.testing.assert_array_equal(distribution.distribute_tensor(x, layout), x)
    np.testing.assert_array_equal(grad(lambda x: ops.sum(distribution.distribute_tensor(x, layout) ** 2))(x), 2 * x)
    compiled = load("xla").compile(lambda values, x: (values, distribution.distribute_tensor(x, layout).value))
    np.testing.assert_array_equal(compiled([], x)[1], x)


def test_batches_are_laid_out_on_the_devices(xla):
    array, rows = np.arange(12.0).reshape(4, 3), np.array([3, 0, 2])
    with distribution.DataParallel(devices=["cpu:0"]).scope():
        batch = load("xla").batch(array, rows)
        assert batch.dtype == "float32"
        np.testing.assert_array_equal(batch, array[rows])
        np.testing.assert_array_equal(load("xla").batch(np.arange(5), slice(1, 3)), [1, 2])
        with pytest.raises(OverflowError):
            load("xla").batch(np.array([2**40]), slice(0, 1))


# Going on


def fitted(folder, epochs, backup=True):
    random.set_random_seed(1)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 3)).astype("float32")
    model = models.Sequential(
        [layers.Input((3,)), layers.Dense(4, dtype="mixed_bfloat16"), layers.Dropout(0.5, seed=1), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    saved = [callbacks.BackupAndRestore(folder, delete_checkpoint=False)] if backup else []
    history = model.fit(x, x[:, :1], batch_size=8, epochs=epochs, verbose=0, callbacks=saved)
    return model.get_weights(), history


def test_a_backup_continues_to_the_bit(tmp_path):
    expected, whole = fitted(tmp_path, 5, backup=False)
    fitted(tmp_path, 2)
    found, rest = fitted(tmp_path, 5)
    assert rest.epoch == [0, 1, 2, 3, 4]
    assert rest.history["loss"] == whole.history["loss"]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_backups_of_other_models_are_refused(tmp_path):
    fitted(tmp_path, 1)
    model = models.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    backup = callbacks.BackupAndRestore(tmp_path)
    with pytest.raises(ValueError, match=r"backup\.safetensors is the backup of another model.*delete it"):
        model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0, callbacks=backup)
    os.remove(backup.path)
    model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0, callbacks=backup)
    assert not os.path.exists(backup.path)  # it ended well
    with pytest.raises(ValueError, match="save_freq: got 0, expected 'epoch'"):
        callbacks.BackupAndRestore(tmp_path, save_freq=0)


def test_variables_that_lie_apart_can_be_read(xla, monkeypatch):
    """What other processes hold is on the host inside, and where it was afterwards."""
    model = models.Sequential([layers.Input((3,)), layers.Dense(1)])
    machine, kernel = load("xla"), model.layers[0].kernel
    before = kernel._value
    monkeypatch.setattr(machine, "processes", lambda: (1, 2))
    monkeypatch.setattr(machine, "whole", lambda array: array is not before)
    monkeypatch.setattr(machine, "numpy", np.asarray)
    with distribution.gathered(model):
        assert isinstance(kernel._value, np.ndarray)
    assert kernel._value is before
    assert isinstance(kernel, Variable)
    path = "never.keras"
    checkpoint = callbacks.ModelCheckpoint(path)
    checkpoint.set_model(model)
    checkpoint.on_epoch_end(0, {})
    backup = callbacks.BackupAndRestore("never")
    backup.set_model(model)
    backup.on_epoch_end(0, {})
    assert not os.path.exists(path)  # the first process writes
    assert not os.path.exists("never")
