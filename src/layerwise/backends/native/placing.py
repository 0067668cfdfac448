"""When the state's new values are computed, and where outputs live: over old values that nothing reads any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from .form import Call, Form, Group, Value
from .fused import Unrecordable
from .instructions import DTYPES
from .updates import UPDATES, overwritten

Item = Group | Call


def schedule(form: Form) -> int:
    """Put what makes the new values of the state behind all else; returns the stage in which that begins.

    Updates come first, then what depends on them. If NumPy has a part in that, which Ctrl-C may interrupt, they are no
    more than other kernels: the state is then copied at the end.
    """
    items = _items(form)
    read = {id(v.base) for item in items for v in _reads(item)}
    new = {id(v) for v in form.outputs[: form.state]}
    updates = [item for item in items if _is_update(item)]
    after = _dependent(items, updates)
    if any(isinstance(item, Call) and item.step for item in after):
        updates, after = [], []
    last = [
        item
        for item in items
        if isinstance(item, Group)
        and item not in after
        and any(id(v) in new for v in item.outputs())
        and not any(id(v) in read for v in item.outputs())
    ]
    late = {id(item) for item in (*updates, *after, *last)}
    commit = max((item.stage for item in items if id(item) not in late), default=0) + 1
    for item in (*updates, *last):
        _move(item, commit)
    for item in after:
        _move(item, max(commit + 1, *(v.ready for v in _reads(item))))
    return commit


def place(form: Form, commit: int) -> list[Value]:
    """Give outputs their memory; returns those that are new arrays. What cannot be computed in place is copied."""
    items = _items(form)
    end = max((item.stage for item in items), default=0) + 1
    makers = {id(v): item for item in items for v in _makes(item)}
    readers = defaultdict(list)
    for item in items:
        for v in _reads(item):
            readers[id(v.base)].append((item, v))

    def overwrites(value: Value, old: Value) -> bool:
        """Whether a value can be computed into the array of an old one."""
        maker = makers.get(id(value))
        if value.slot is not None or value.kind != "full" or maker is None or maker.stage < commit:
            return False
        if isinstance(maker, Call):
            if not _is_update(maker):
                return False
            own = overwritten(maker.kernel[0], maker.outputs.index(value))  # type: ignore[index]
            if any(v is not None and v.base is old for i, v in enumerate(maker.inputs) if i != own):
                return False
        return all(item.stage < maker.stage or (item is maker and v is old) for item, v in readers[id(old)])

    made: list[Value] = []
    for i, value in enumerate(form.outputs):
        if i < form.state:
            old = form.inputs[i]
            if value is old:
                continue
            if overwrites(value, old):
                value.slot, value.stands_for = old.slot, old.stands_for
                continue
            if value.base in form.inputs:
                copy = Value(value.shape, value.dtype, made=value.ready, stored=True)
                _copy(form, value, copy, value.ready)
                value = copy
            _copy(form, value, Value(old.shape, old.dtype, slot=old.slot, stands_for=old.stands_for), end)
            continue
        if value.root is None and value.slot is None:
            made.append(value)
        else:
            made.append(Value(value.shape, value.dtype))
            _copy(form, value, made[-1], max(value.ready, 0))
        made[-1].slot = len(form.inputs) + len(made)
    return made


def _copy(form: Form, value: Value, place: Value, stage: int) -> None:
    if value.dtype not in DTYPES:
        raise Unrecordable(f"a copy of {value.dtype}")
    form.calls.append(Call([place], [value], ("copy", (), ()), stage=stage))


def _items(form: Form) -> list[Item]:
    """All calls and groups, in the order of their stages."""
    groups = [group for group in form.groups if group.merged is None]
    return sorted((*form.calls, *groups), key=lambda item: item.stage)


def _reads(item: Item) -> list[Value]:
    return item.inputs() if isinstance(item, Group) else [v for v in (*item.inputs, *item.along) if v is not None]


def _makes(item: Item) -> list[Value]:
    return item.outputs() if isinstance(item, Group) else [v for v in item.outputs if v is not None]


def _is_update(item: Item) -> bool:
    return isinstance(item, Call) and item.kernel is not None and item.kernel[0] in UPDATES


def _dependent(items: Sequence[Item], sources: Sequence[Item]) -> list[Item]:
    """What reads results of the sources, directly or by way of others."""
    made = {id(v.base) for item in sources for v in _makes(item)}
    dependent = []
    for item in items:
        if any(id(v.base) in made for v in _reads(item)):
            dependent.append(item)
            made.update(id(v.base) for v in _makes(item))
    return dependent


def _move(item: Item, stage: int) -> None:
    item.stage = stage
    if isinstance(item, Call):
        for v in _makes(item):
            v.base.made = stage
