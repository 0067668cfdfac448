"""What happens elsewhere: each epoch's results to a server."""

import json
import urllib.error
import urllib.parse
import urllib.request
import warnings
from typing import Any

from ..dtypes import number
from .base import Callback


class RemoteMonitor(Callback):
    """Sends {"epoch": ..., name: value, ...} to a server after each epoch, as a POST to root + path.

    A server that cannot be reached gives a warning, and training goes on.

    Args:
        root: where the server is.
        path: what stands behind it.
        field: the field of the form that holds the JSON text.
        headers: a dict of further headers.
        send_as_json: whether the JSON text itself is sent, in place of a form.

    >>> monitor = RemoteMonitor("http://localhost:9000", send_as_json=True)
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        if urllib.parse.urlsplit(root).scheme not in ("http", "https"):
            raise ValueError(
                f"RemoteMonitor: root: got {root!r}, expected an address that begins with http:// or https://"
            )
        self.root, self.path, self.field, self.headers, self.send_as_json = root, path, field, headers, send_as_json

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        text = json.dumps({"epoch": epoch, **{name: number(value) for name, value in (logs or {}).items()}})
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        body = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        headers = {"Content-Type": kind, **(self.headers or {})}
        request = urllib.request.Request(self.root + self.path, body.encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request):
                pass
        except (urllib.error.URLError, OSError) as error:
            warnings.warn(f"RemoteMonitor: could not reach {self.root}: {error}", stacklevel=2)
