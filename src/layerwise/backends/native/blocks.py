"""A block: what runs from one end to the other with its memory planned, a program's all or the body of a loop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from .form import Form, Value
from .grouping import drop_unread, group, repeat, sink
from .memory import plan
from .placing import place, schedule


class Block:
    """A form after all passes: its calls and groups by stage, and where arrays lie."""

    def __init__(self, form: Form, constants: Sequence[Value] = ()) -> None:
        group(form)
        sink(form)
        for value in form.outputs:
            value.base.stored = True
        drop_unread(form)
        repeat(form)
        self.commit = schedule(form)
        self.made = place(form, self.commit)
        self.calls = [c for c in form.calls if any(v is not None and v.nbytes for v in c.outputs)]
        groups = [g for g in form.groups if g.merged is None and g.outputs() and 0 not in g.space]
        self.size, self.temporaries = plan(self.calls, groups, constants)
        self.stages: dict[int, list[Any]] = defaultdict(list)
        for item in (*self.calls, *groups):
            self.stages[item.stage].append(item)  # type: ignore[attr-defined]
