"""`Config`: named values of a program."""

import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from ..naming import nearest


class Config:
    """Named values, as attributes and as entries of a dict, which can be frozen

    Args:
        kwargs: the first of them.

    >>> config = Config(learning_rate=0.1)
    >>> config.seed = 3
    >>> config["seed"], config.learning_rate, config.to_json()
    (3, 0.1, '{"learning_rate": 0.1, "seed": 3}')
    """

    _config: dict[str, Any]
    _frozen: bool

    def __init__(self, **kwargs: Any) -> None:
        vars(self).update(_config=kwargs, _frozen=False)

    @property
    def frozen(self) -> bool:
        """Whether values can be changed no more."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse changes from here on."""
        vars(self)["_frozen"] = True

    def unfreeze(self) -> None:
        """Take changes again."""
        vars(self)["_frozen"] = False

    def as_dict(self) -> dict[str, Any]:
        """A dict of the values."""
        return dict(self._config)

    def to_json(self) -> str:
        """The values as JSON."""
        return json.dumps(self._config)

    def keys(self) -> KeysView[str]:
        """Their names."""
        return self._config.keys()

    def values(self) -> ValuesView[Any]:
        """The values."""
        return self._config.values()

    def items(self) -> ItemsView[str, Any]:
        """(name, value)"""
        return self._config.items()

    def get(self, keyname: str, value: Any = None) -> Any:
        """What is called `keyname`, or `value` if nothing is."""
        return self._config.get(keyname, value)

    def pop(self, *args: Any) -> Any:
        """Remove a value and return it, as a dict's `pop` does."""
        return self._open().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several values, as a dict's `update` does."""
        self._open().update(*args, **kwargs)

    def _open(self) -> dict[str, Any]:
        if self._frozen:
            raise ValueError("Config: it is frozen; call unfreeze() to change values")
        return self._config

    def __getattr__(self, name: str) -> Any:
        config = vars(self).get("_config", {})
        if name in config:
            return config[name]
        close = nearest(name, config)
        raise AttributeError(f"Config has no '{name}'" + (f"; nearest: {close[0]!r}" if close else ""))

    def __setattr__(self, name: str, value: Any) -> None:
        self._open()[name] = value

    def __getitem__(self, key: str) -> Any:
        return self._config[key]

    def __setitem__(self, key: str, item: Any) -> None:
        self._open()[key] = item

    def __delitem__(self, key: str) -> None:
        del self._open()[key]

    def __contains__(self, item: Any) -> bool:
        return item in self._config

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._config))

    def __len__(self) -> int:
        return len(self._config)

    def __repr__(self) -> str:
        return f"<Config {self._config}>"
