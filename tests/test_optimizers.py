"""Optimizers against Keras: the same weights and gradients in, the same weights, slots and configurations out."""

import copy
import pickle

import jax
import keras
import numpy as np
import pytest

from layerwise import Variable, config, fundamentals, naming, ops, optimizers, variables
from layerwise.optimizers import schedules

STEPS = 10
NAMES = (
    "SGD",
    "Adagrad",
    "RMSprop",
    "Adam",
    "AdamW",
    "Adamax",
    "Nadam",
    "Adadelta",
    "Lion",
    "Ftrl",
    "Lamb",
    "Adafactor",
    "Muon",
    "ScheduleFreeAdamW",
)
CASES = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"learning_rate": 0.1, "nesterov": True}),
    ("SGD", {"learning_rate": 0.1, "weight_decay": 0.1}),
    ("SGD", {"learning_rate": 0.1, "clipnorm": 0.7}),
    ("SGD", {"learning_rate": 0.1, "clipvalue": 0.3}),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 1.2, "momentum": 0.5}),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 100.0}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3}),
    ("SGD", {"learning_rate": 0.1, "gradient_accumulation_steps": 3, "momentum": 0.9, "weight_decay": 0.1}),
    ("SGD", {"learning_rate": 0.1, "gradient_accumulation_steps": 2, "use_ema": True, "ema_overwrite_frequency": 2}),
    ("SGD", {"learning_rate": 0.1, "loss_scale_factor": 8.0}),
    ("SGD", {"learning_rate": lambda s: s.ExponentialDecay(0.3, 4, 0.5), "momentum": 0.9}),
    ("SGD", {"learning_rate": lambda s: s.PiecewiseConstantDecay([3, 8], [0.5, 0.1, 0.2])}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.0, "epsilon": 0.01, "clipnorm": 0.5}),
    ("RMSprop", {"learning_rate": 0.05}),
    ("RMSprop", {"learning_rate": 0.05, "momentum": 0.8, "rho": 0.7}),
    ("RMSprop", {"learning_rate": 0.05, "centered": True, "epsilon": 1e-3}),
    ("RMSprop", {"learning_rate": 0.05, "centered": True, "momentum": 0.8, "weight_decay": 0.02, "epsilon": 1e-3}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 0.01}),
    ("Adam", {"learning_rate": 0.1, "amsgrad": True, "beta_2": 0.5}),
    ("Adam", {"learning_rate": 0.1, "weight_decay": 0.1, "global_clipnorm": 1.0}),
    ("Adam", {"learning_rate": 0.1, "gradient_accumulation_steps": 4, "use_ema": True, "amsgrad": True}),
    ("Adam", {"learning_rate": lambda s: s.CosineDecay(0.0, 8, warmup_target=0.2, warmup_steps=3)}),
    ("AdamW", {"learning_rate": 0.1}),
    ("AdamW", {"learning_rate": 0.1, "weight_decay": 0.2, "amsgrad": True, "clipvalue": 0.5}),
    ("Adamax", {"learning_rate": 0.1}),
    ("Adamax", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.6, "epsilon": 0.1}),
    ("Nadam", {"learning_rate": 0.1}),
    ("Nadam", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.95, "gradient_accumulation_steps": 2}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.7, "epsilon": 0.01, "weight_decay": 0.1}),
    ("Lion", {"learning_rate": 0.1}),
    ("Lion", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.7, "weight_decay": 0.1}),
    ("Ftrl", {"learning_rate": 0.1}),
    (
        "Ftrl",
        {
            "learning_rate": 0.1,
            "learning_rate_power": -0.7,
            "initial_accumulator_value": 0.3,
            "l1_regularization_strength": 0.2,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.3,
        },
    ),
    ("Adafactor", {"learning_rate": 0.1}),
    ("Adafactor", {"learning_rate": 0.5, "beta_2_decay": -0.5, "epsilon_2": 0.1, "clip_threshold": 0.5}),
    ("Muon", {"learning_rate": 0.1}),
    ("Muon", {"learning_rate": 0.1, "nesterov": False, "rms_rate": None, "ns_steps": 3, "weight_decay": None}),
    ("Muon", {"learning_rate": 0.1, "exclude_layers": ["w2"], "adam_lr_ratio": 0.5, "adam_weight_decay": 0.2}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.1}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.1, "warmup_steps": 4, "beta_1": 0.7, "weight_decay": 0.1}),
    ("Lamb", {"learning_rate": 0.1}),
    ("Lamb", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.7, "epsilon": 0.01, "weight_decay": 0.1}),
]
CANCELLING = (
    "Nadam",
    "Ftrl",
    "ScheduleFreeAdamW",
)  # differences, whose last digit is the library's, magnify it in float32
IDS = [f"{name}-{'-'.join(arguments)}" for name, arguments in CASES]


def problem(dtype="float32"):
    """Start values of a kernel, a scalar and zeros, and the gradients of each step (JAX compiles for every shape)."""
    rng = np.random.default_rng(0)
    values = [np.asarray(rng.normal(size=shape), dtype) for shape in [(3, 4), ()]] + [np.zeros((3, 4), dtype)]
    return values, [[np.asarray(rng.normal(size=v.shape), dtype) for v in values] for _ in range(STEPS)]


def made(module, name, arguments):
    """The optimizer, of Layerwise or of Keras; schedules among the arguments come from the same library."""
    arguments = {key: a(module.schedules) if callable(a) else a for key, a in arguments.items()}
    return getattr(module, name)(**arguments)


def keras_run(optimizer, dtype="float32", constraint=None):
    values, gradients = problem(dtype)
    weights = [keras.Variable(v, dtype=dtype, name=f"w{i}") for i, v in enumerate(values)]
    for w in weights:
        w.constraint = constraint
    history = []
    for step in gradients:
        optimizer.apply_gradients(zip(step, weights))
        history.append(values_of(weights))
    return history


def run(optimizer, dtype="float32", constraint=None, compiled=False):
    values, gradients = problem(dtype)
    weights = [Variable(v, name=f"w{i}", constraint=constraint) for i, v in enumerate(values)]
    optimizer.build(weights)
    step = optimizer.apply
    if compiled:
        state = [*weights, *optimizer.variables]
        step = variables.StepFunction(lambda grads: optimizer.apply(grads), state)
    history = []
    for grads in gradients:
        step(grads)
        history.append(values_of(weights))
    return history


def assert_same(ours, theirs, rtol=1e-6):
    for step, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol, err_msg=f"step {step + 1}, variable {i}")
            assert x.dtype == y.dtype


def last_parts(some):
    return [v.path.split("/")[-1] for v in some]


def values_of(some):
    return [v.numpy() for v in some]


# ---- values


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=IDS)
def test_steps_slots_and_configurations_are_those_of_keras(name, arguments):
    theirs, ours = made(keras.optimizers, name, arguments), made(optimizers, name, arguments)
    config_of_ours, config_of_theirs = ours.get_config(), theirs.get_config()
    assert config_of_ours | {"name": ""} == config_of_theirs | {"name": ""}
    assert type(ours).from_config(config_of_ours).get_config() == config_of_ours

    expected, history = keras_run(theirs), run(ours)
    tolerance = 1e-5 if name in CANCELLING else 1e-6
    assert_same(history, expected, tolerance)
    named = [v for v in theirs.variables if not v.name.startswith("variable")]  # Nadam's product of momenta has no name
    assert last_parts(ours.variables)[: len(named)] == last_parts(named)
    assert_same([values_of(ours.variables)], [values_of(theirs.variables)], tolerance)
    assert int(ours.iterations) == int(theirs.iterations)
    np.testing.assert_allclose(float(ours.learning_rate), float(theirs.learning_rate), rtol=1e-6)


OF_EACH = {name: arguments for name, arguments in CASES if isinstance(arguments.get("learning_rate"), float)}


@pytest.mark.float64
@pytest.mark.parametrize(("name", "arguments"), OF_EACH.items())
def test_float64_stays_float64(name, arguments):
    with jax.enable_x64(True):
        expected = keras_run(made(keras.optimizers, name, arguments), "float64")
    history = run(made(optimizers, name, arguments), "float64")
    through_float32 = name in ("Nadam", "Adafactor", "Muon")  # a product of momenta, means, rates of decay in Keras
    assert_same(history, expected, 1e-7 if through_float32 else 1e-13)


@pytest.mark.parametrize(("name", "arguments"), [case for case in CASES if len(case[1]) > 1])
def test_a_compiled_step_is_the_step(name, arguments):
    eager = made(optimizers, name, arguments)
    history = run(eager)
    with config.override(backend="xla"):
        compiled = made(optimizers, name, arguments)
        tolerance = 1e-5 if name in CANCELLING else 2e-6
        assert_same(run(compiled, compiled=True), history, tolerance)
        assert_same([values_of(compiled.variables)], [values_of(eager.variables)], tolerance)


@pytest.mark.float64
def test_float64_gradients_accumulate_in_float64():
    averaged, direct = optimizers.SGD(0.5, gradient_accumulation_steps=2), optimizers.SGD(0.5)
    w, v = Variable(np.array(0.0)), Variable(np.array(0.0))
    averaged.apply([np.array(0.1)], [w])
    averaged.apply([np.array(0.2)], [w])
    direct.apply([np.array((0.1 + 0.2) / 2)], [v])
    assert w.dtype == "float64"
    assert w.numpy() == v.numpy() != np.float32(w.numpy())


@pytest.mark.float64
def test_adam_is_the_textbook_with_another_epsilon():
    start, gradients = np.array([1.0, -2.0, 0.5]), np.random.default_rng(1).normal(size=(20, 3))
    rate, beta_2 = 0.125, 0.75
    w, ours = Variable(start), optimizers.Adam(rate, beta_2=beta_2)
    expected, textbook = start, fundamentals.Adam(rate, beta2=beta_2)
    for t, g in enumerate(gradients, start=1):
        epsilon = 1e-3
        textbook.epsilon, ours.epsilon = epsilon, epsilon * np.sqrt(1 - beta_2**t)
        expected = textbook.update(expected, g)
        ours.apply([g], [w])
        np.testing.assert_allclose(w.numpy(), expected, rtol=1e-13)


class NonNegative:
    """w -> max(w, 0), for both libraries."""

    def __init__(self, module):
        self.module = module

    def __call__(self, w):
        return self.module.maximum(w, 0.0)


@pytest.mark.parametrize("arguments", [{}, {"use_ema": True}])
def test_constraints_hold_after_the_step(arguments):
    expected = keras_run(keras.optimizers.SGD(0.1, **arguments), constraint=NonNegative(keras.ops))
    history = run(optimizers.SGD(0.1, **arguments), constraint=NonNegative(ops))
    assert_same(history, expected)
    assert min(w.min() for w in history[0]) >= 0


@pytest.mark.float64
def test_variables_of_several_dtypes_keep_theirs():
    some = [Variable(np.ones(2, dtype)) for dtype in ("float32", "float64", "float16", "float32")]
    optimizer = optimizers.SGD(0.5, momentum=0.5, global_clipnorm=100.0)
    for _ in range(2):
        optimizer.apply([np.array([1.0, -1.0], v.dtype) for v in some], some)
    assert [v.dtype for v in some] == ["float32", "float64", "float16", "float32"]
    for v in some:
        np.testing.assert_array_equal(v.numpy(), [-0.25, 2.25])


def test_gradients_that_overflow_are_not_taken_for_zero():
    w = Variable([1.0, 2.0])
    with np.errstate(over="ignore"):
        optimizers.SGD(0.1, global_clipnorm=1.0).apply([np.array([1e30, 1.0], "float32")], [w])
    assert np.isnan(w.numpy()).all()


@pytest.mark.parametrize("by", ["variable", "name"])
def test_variables_without_weight_decay(by):
    kernel, bias = Variable([1.0], name="kernel"), Variable([1.0], name="bias")
    optimizer = optimizers.SGD(0.5, weight_decay=0.5)
    if by == "variable":
        optimizer.exclude_from_weight_decay(var_list=[bias])
    else:
        optimizer.exclude_from_weight_decay(var_names=["^bi"])
    optimizer.apply([[0.0], [0.0]], [kernel, bias])
    assert (kernel.numpy(), bias.numpy()) == (0.75, 1.0)
    with pytest.raises(ValueError, match="before build"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


def test_averages_replace_the_weights_at_the_end():
    w = Variable([4.0])
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.apply([[1.0]], [w])
    optimizer.apply([[1.0]], [w])
    assert w.numpy() == 2.0
    optimizer.finalize_variable_values([w])
    assert w.numpy() == 2.5
    plain = optimizers.SGD(1.0)
    plain.build([w])
    plain.finalize_variable_values([w])
    assert w.numpy() == 2.5


def test_loss_scale():
    optimizer = optimizers.SGD(loss_scale_factor=4.0)
    assert optimizer.scale_loss(2.0).item() == 8.0
    assert optimizers.SGD().scale_loss(2.0).item() == 2.0


# ---- the learning rate


def test_the_learning_rate_is_a_variable_that_can_be_set():
    optimizer = optimizers.SGD(0.1)
    assert (optimizer.learning_rate.dtype, optimizer.learning_rate.shape) == ("float32", ())
    w = Variable([1.0])
    optimizer.learning_rate = 0.5
    optimizer.apply([[1.0]], [w])
    optimizer.learning_rate.assign(0.25)
    optimizer.apply([[1.0]], [w])
    assert w.numpy() == 0.25
    assert optimizer.get_config()["learning_rate"] == 0.25
    optimizer.learning_rate = ops.array(0.125)
    assert float(optimizer.learning_rate) == 0.125


def test_the_learning_rate_follows_a_function_or_a_schedule():
    rates = iter([0.5, 0.25])
    w = Variable([1.0])
    optimizer = optimizers.SGD(lambda: next(rates))
    assert [v.name for v in optimizer.variables] == ["iteration"]
    optimizer.apply([[1.0]], [w])
    optimizer.apply([[1.0]], [w])
    assert w.numpy() == 0.25
    optimizer.learning_rate = schedules.PiecewiseConstantDecay([100], [0.125, 0.0])
    assert float(optimizer.learning_rate) == 0.125
    with pytest.raises(TypeError, match="set another schedule"):
        optimizer.learning_rate = 0.1


@pytest.mark.own_backend
def test_a_setting_reaches_the_compiled_step():
    with config.override(backend="xla"):
        w, optimizer = Variable([1.0]), optimizers.SGD(0.5)
        optimizer.build([w])
        step = variables.StepFunction(lambda g: optimizer.apply([g]), [w, *optimizer.variables])
        step([1.0])
        optimizer.learning_rate = 0.25
        step([1.0])
        assert w.numpy() == 0.25


# ---- state


def test_apply_gradients_counts_its_calls():
    w = Variable([1.0])
    optimizer = optimizers.SGD(0.5, gradient_accumulation_steps=2)
    counts = [int(optimizer.apply_gradients([([1.0], w)])) for _ in range(3)]
    assert counts == [1, 2, 3]
    assert int(optimizer.iterations) == 1
    assert optimizers.SGD().iterations.dtype == "int32"


def test_a_step_without_gradients_is_none():
    optimizer = optimizers.SGD()
    assert optimizer.apply_gradients([]).numpy() == 0


def test_some_variables_may_lack_a_gradient():
    w, v = Variable([1.0], name="w"), Variable([1.0], name="v")
    optimizer = optimizers.SGD(0.5, momentum=0.5, weight_decay=0.1)
    with pytest.warns(UserWarning, match="no gradient for v"):
        optimizer.apply([[1.0], None], [w, v])
    assert (w.numpy(), v.numpy()) == (np.float32(0.45), 1.0)
    optimizer.apply_gradients([([1.0], v)])  # the right slot, whatever the order
    assert optimizer.variables[3].numpy() == -0.5


@pytest.mark.parametrize("how", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_copies_go_their_own_way(how):
    w, optimizer = Variable([1.0]), optimizers.Adam(0.5)
    optimizer.apply([[1.0]], [w])
    before = values_of([w, *optimizer.variables])
    w_copy, optimizer_copy = how((w, optimizer))
    optimizer_copy.apply([[1.0]], [w_copy])
    assert_same([values_of([w, *optimizer.variables])], [before], 0)
    optimizer.apply([[1.0]], [w])
    assert_same([values_of([w, *optimizer.variables])], [values_of([w_copy, *optimizer_copy.variables])], 0)


def test_state_is_saved_in_order_and_read_back():
    w, v = Variable([1.0]), Variable([1.0])
    optimizer, fresh = optimizers.Adam(0.5), optimizers.Adam(0.1)
    optimizer.apply([[1.0]], [w])
    v.assign(w)
    fresh.build([v])
    store = {}
    optimizer.save_own_variables(store)
    assert list(store) == ["0", "1", "2", "3"]
    fresh.load_own_variables(store)
    optimizer.apply([[3.0]], [w])
    fresh.apply([[3.0]], [v])
    assert w.numpy() == v.numpy()
    with pytest.warns(UserWarning, match="4 saved variables, expected 2"):
        optimizers.SGD().load_own_variables(store)


def test_older_arguments_and_names_are_explained():
    with pytest.warns(UserWarning, match="InverseTimeDecay"):
        assert optimizers.Adam(decay=0.1).get_config() == optimizers.Adam(name="adam").get_config()
    with pytest.raises(TypeError, match="'lr'; did you mean 'learning_rate'"):
        optimizers.SGD(lr=0.1)
    assert optimizers.legacy.Adam is optimizers.Adam
    assert set(dir(optimizers.legacy)) < set(dir(optimizers))


def test_muon_leaves_embeddings_and_named_layers_to_adam():
    some = [Variable(np.ones((2, 3)), name=name) for name in ("kernel", "embeddings", "output")]
    optimizer = optimizers.Muon(exclude_layers=["out"])
    optimizer.build(some)
    assert len(optimizer.variables) == 2 + 1 + 2 + 2
    optimizer = optimizers.Muon(exclude_embeddings=False)
    optimizer.build(some)
    assert len(optimizer.variables) == 2 + 3


@pytest.mark.own_backend
@pytest.mark.parametrize("name", ["Adafactor", "Muon", "ScheduleFreeAdamW"])
def test_rules_are_recorded(name):
    runs = []
    for backend in ("numpy", "native"):
        with config.override(backend=backend):
            runs.append(run(getattr(optimizers, name)(0.1), compiled=True))
    assert_same(*runs, 2e-5)


# ---- names and configurations


@pytest.mark.parametrize("name", NAMES)
def test_get_finds_names_classes_and_configurations(name):
    cls = getattr(optimizers, name)
    assert type(optimizers.get(name)) is type(optimizers.get(name.lower())) is type(optimizers.get(cls)) is cls
    optimizer = cls(learning_rate=schedules.ExponentialDecay(0.1, 10, 0.5))
    assert optimizers.get(optimizer) is optimizer
    node = optimizers.serialize(optimizer)
    theirs = getattr(keras.optimizers, name).from_config(copy.deepcopy(node["config"]))
    assert node == keras.optimizers.serialize(theirs)
    for again in (optimizers.deserialize(node), optimizers.get(node)):
        assert optimizers.serialize(again) == node


def test_names_count_up():
    naming.reset_names()
    assert [optimizers.RMSprop().name, optimizers.RMSprop().name] == ["rm_sprop", "rm_sprop_1"]
    assert optimizers.Adam(name="mine").variables[1].path == "mine/learning_rate"
    assert optimizers.get(None) is None


class Halves(optimizers.Optimizer):
    """A user's optimizer in Keras' way: state from build, arithmetic in update_step."""

    def __init__(self, learning_rate=0.5, share=0.5, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.kept = share

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.sums = [
            self.add_variable_from_reference(v, "sum", lambda shape, dtype: ops.ones(shape, dtype)) for v in variables
        ]

    def update_step(self, gradient, variable, learning_rate):
        total = self.sums[self._get_variable_index(variable)]
        total.assign(self.kept * total + gradient)
        variable.assign_sub(learning_rate * total)

    def get_config(self):
        return {**super().get_config(), "share": self.kept}


@pytest.mark.own_backend
@pytest.mark.parametrize("backend", ["numpy", "xla"])
def test_a_users_optimizer_with_an_update_step(backend):
    with config.override(backend=backend):
        w, optimizer = Variable([1.0], name="w"), Halves(gradient_accumulation_steps=2)
        optimizer.build([w])
        step = variables.StepFunction(lambda g: optimizer.apply([g]), [w, *optimizer.variables])
        step([1.0])
        assert (w.numpy(), optimizer.sums[0].numpy()) == (1.0, 1.0)
        step([2.0])
        assert (w.numpy(), optimizer.sums[0].numpy()) == (0.0, 2.0)
        assert optimizer.variables[-1].path == f"{optimizer.name}/w_sum"
        assert Halves.from_config(optimizer.get_config()).get_config() == optimizer.get_config()


# ---- mistakes


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.Adam(lr=0.1), "Adam: unknown argument 'lr'; did you mean 'learning_rate'"),
        (lambda: optimizers.SGD(momentun=0.1), "SGD: unknown argument 'momentun'; did you mean 'momentum'"),
        (lambda: optimizers.SGD(weight_deca=0.1), "did you mean 'weight_decay'"),
        (lambda: optimizers.Adam(clipnorm=1.0, clipvalue=1.0), "at most one of"),
        (lambda: optimizers.Adam(clipnorm=-1.0), "Adam: clipnorm: got -1.0, expected a number > 0"),
        (lambda: optimizers.Adam(weight_decay=-1.0), "weight_decay: got -1.0"),
        (lambda: optimizers.Adam(gradient_accumulation_steps=1), "expected an integer >= 2"),
        (lambda: optimizers.Adam(use_ema=True, ema_momentum=2), "ema_momentum: got 2"),
        (lambda: optimizers.Adam(use_ema=True, ema_overwrite_frequency=0), "expected an integer >= 1"),
        (lambda: optimizers.SGD(momentum=1.5), "SGD: momentum: got 1.5"),
        (lambda: optimizers.RMSprop(momentum=-1), "RMSprop: momentum: got -1"),
        (lambda: optimizers.AdamW(weight_decay=None), "without decay, use Adam"),
        (lambda: optimizers.Lion(beta_1=0.0), "Lion: beta_1: got 0.0"),
        (lambda: optimizers.Ftrl(learning_rate_power=1.0), "Ftrl: learning_rate_power"),
        (lambda: optimizers.Ftrl(l1_regularization_strength=-1.0), "Ftrl: l1_regularization_strength"),
        (lambda: optimizers.Adam("fast"), "learning_rate: got 'fast'"),
        (lambda: optimizers.Adam(None), "learning_rate: got None"),
        (lambda: optimizers.Adam(float("nan")), "learning_rate: got nan"),
        (lambda: optimizers.Adam([0.1, 0.2]), "learning_rate: got"),
        (lambda: optimizers.get("adan"), "unknown optimizer 'adan'; did you mean 'Adam'"),
        (lambda: optimizers.get(3), "optimizer: got 3"),
        (lambda: optimizers.get(schedules.CosineDecay(0.1, 3)), "expected a name such as 'adam'"),
        (lambda: optimizers.adam_w, "nearest: 'AdamW'"),
    ],
)
def test_mistakes_in_arguments(make, message):
    with pytest.raises((ValueError, TypeError, AttributeError)) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("grads", "some", "message"),
    [
        ([None, None], "wb", "no gradient for any variable (w, b)"),
        ([[1.0, 1.0]], "wb", "got 1 gradients for 2 variables"),
        ([[1.0], [1.0]], "wb", "gradient of 'w': got (1,), expected shape (2,)"),
        ([[1.0], [1.0, 1.0]], "bw", None),
        ([[1.0, 1.0]], "x", "variable 'x' is not among those"),
        ([[1.0, 1.0]], None, "got 1 gradients for 2 variables"),
    ],
)
def test_mistakes_in_a_step_change_nothing(grads, some, message):
    known = {"w": Variable([1.0, 2.0], name="w"), "b": Variable([3.0], name="b"), "x": Variable([1.0, 1.0], name="x")}
    optimizer = optimizers.Adam(0.1)
    optimizer.build([known["w"], known["b"]])
    state = [*known.values(), *optimizer.variables]
    before = values_of(state)
    if message is None:
        optimizer.apply(grads, [known[name] for name in some])
        assert int(optimizer.iterations) == 1
        return
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        optimizer.apply(grads, some and [known[name] for name in some])
    assert message in str(caught.value)
    assert_same([values_of(state)], [before], 0)


def test_a_step_without_variables_says_what_to_do():
    with pytest.raises(ValueError, match="build"):
        optimizers.SGD().apply([[1.0]])


def test_every_public_optimizer_is_compared_with_keras():
    classes = {name for name in optimizers.__all__ if isinstance(getattr(optimizers, name), type)}
    wrapping = {"LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"}  # in test_dtype_policies.py
    assert classes - {"Optimizer"} - wrapping == set(NAMES)
