"""What a web process keeps of the entity lists that tablets fetch: the bytes of a view, while it stays the same.

Which view a tablet has is read at every request (sync/entity_lists.py), so all processes serve the same at once.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from sync.entity_lists import ListView

MOST_BYTES = 64 * 1024 * 1024
_Key = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class KeptList:
    """The bytes of one view, and their MD5, which is the hash that tablets compare."""

    view: ListView
    body: bytes
    md5: str


class ListCache:
    """One list per name and sites, the latest view of it, as many as there is room for."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, KeptList] = OrderedDict()
        self._makers: dict[_Key, threading.Lock] = {}
        self._bytes = 0

    def get(self, view: ListView, render: Callable[[ListView], bytes]) -> KeptList:
        """The bytes of the view, made anew if anything about it changed: by one of those who ask at once, for all."""
        key = (view.name, view.codes)
        kept = self._find(key, view)
        if kept is not None:
            return kept
        with self._lock:
            maker = self._makers.setdefault(key, threading.Lock())
        with maker:
            return self._find(key, view) or self._make(key, view, render)

    def _find(self, key: _Key, view: ListView) -> KeptList | None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.view != view:
                return None
            self._kept.move_to_end(key)
            return kept

    def _make(self, key: _Key, view: ListView, render: Callable[[ListView], bytes]) -> KeptList:
        body = render(view)
        # The hash is that of the bytes, so whatever a tablet could see changes it: a deletion, a rule, a lost right.
        fresh = KeptList(view, body, hashlib.md5(body, usedforsecurity=False).hexdigest())
        with self._lock:
            self._keep(key, fresh)
        return fresh

    def _keep(self, key: _Key, fresh: KeptList) -> None:
        old = self._kept.pop(key, None)
        self._bytes += len(fresh.body) - (len(old.body) if old else 0)
        self._kept[key] = fresh
        while self._bytes > self._most:
            _key, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped.body)
