"""The lists with which records are judged: a form version's attached files, and what the server makes for tablets.

A published file never changes. What the server makes does: of it, the state is wanted that the tablet had on board
(tablet_lists.py), and where that is not known for sure the list is not certain.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar, cast

from sqlalchemy.orm import Session

from forms.lists import HeldLists, ListRefused, ListRows, parse_list
from sync.attachments import AttachmentStore
from sync.entity_lists import ListView, Receiver, find_list_name, read_view, render_earlier_csv, render_entity_csv
from sync.models import FormAttachment, FormVersion
from sync.server_lists import SERVER_LISTS, find_earlier_list, list_hash
from sync.tablet_lists import Filling, Onboard, State, decide_onboard, list_states, writes_list

_Value = TypeVar("_Value")
_KEPT = 64
# By file name, what stands for the content, and whether that is certain. None: it cannot be read, or not be made.
_parsed: OrderedDict[tuple[str, object, bool], ListRows | None] = OrderedDict()


@dataclass(slots=True)
class ListFiles:
    """Gathers the lists for one batch of records, and asks the database once for what several of them need."""

    session: Session
    store: AttachmentStore
    _asked: dict[tuple[object, ...], object] = field(default_factory=dict)

    def load(self, version: FormVersion, filling: Filling | None = None) -> HeldLists:
        """Gather every list of a form version that is at hand; what is missing or unreadable is left out."""
        lists = {one.name: self._load(one, filling) for one in version.attachments if one.type == "list"}
        return HeldLists({name: rows for name, rows in lists.items() if rows is not None})

    def _load(self, attachment: FormAttachment, filling: Filling | None) -> ListRows | None:
        name, sha256 = attachment.name, attachment.blob_sha256
        if sha256 is not None:
            return _remember(name, sha256, True, lambda: self.store.read(sha256))
        if name in SERVER_LISTS:
            return self._load_made(name, filling)
        list_name = self._once(("name", name), lambda: find_list_name(self.session, name))
        return self._load_entities(name, list_name, filling) if list_name and filling else None

    def _load_made(self, name: str, filling: Filling | None) -> ListRows | None:
        data = self._once(("made", name), lambda: SERVER_LISTS[name](self.session))
        onboard = self._find_onboard(filling, name, shared=False) if filling else None
        if onboard is not None:
            fetched = onboard.state.hash
            then = data if fetched == list_hash(data) else find_earlier_list(self.session, name, fetched)
            if then is not None:
                return _remember(name, fetched, onboard.sure, lambda: then)
        return _remember(name, list_hash(data), False, lambda: data)

    def _load_entities(self, name: str, list_name: str, filling: Filling) -> ListRows | None:
        """As the tablet fetched it, where those bytes can be made anew; else as it is now, which proves nothing."""
        onboard = self._find_onboard(filling, name, shared=True)
        fetched = self._load_fetched(name, list_name, filling, onboard) if onboard else None
        if fetched is not None:
            return fetched
        view = self._read_view(list_name, _receiver(filling), filling.ended)
        return _remember(name, view, False, lambda: render_entity_csv(self.session, view))

    def _load_fetched(self, name: str, list_name: str, filling: Filling, onboard: Onboard) -> ListRows | None:
        state, receiver = onboard.state, _receiver(filling)
        key = ("writes", filling.device.id, filling.version.id, list_name)
        certain = onboard.sure and not self._once(key, lambda: writes_list(self.session, filling, list_name))
        view = self._read_view(list_name, receiver, state.first_at)
        return _remember(name, (state.hash, view.codes), certain, lambda: self._make_again(view, state))

    def _make_again(self, view: ListView, state: State) -> bytes | None:
        data = render_earlier_csv(self.session, view, state.first_at)
        return data if list_hash(data) == state.hash else None

    def _find_onboard(self, filling: Filling, name: str, *, shared: bool) -> Onboard | None:
        key = ("states", filling.device.id, filling.version.id, name)
        states = self._once(key, lambda: list_states(self.session, filling, name, shared=shared))
        return decide_onboard(states, filling.began, filling.ended)

    def _read_view(self, list_name: str, receiver: Receiver, at: datetime) -> ListView:
        # Of the moment a view knows the day alone.
        key = ("view", list_name, receiver, at.astimezone(UTC).date())
        return self._once(key, lambda: read_view(self.session, list_name, receiver, at))

    def _once(self, key: tuple[object, ...], ask: Callable[[], _Value]) -> _Value:
        if key not in self._asked:
            self._asked[key] = ask()
        return cast(_Value, self._asked[key])


def _receiver(filling: Filling) -> Receiver:
    site = filling.device.site
    return Receiver(site.code, site.kind, site.region)


def _remember(name: str, content: object, certain: bool, make: Callable[[], bytes | None]) -> ListRows | None:
    key = (name, content, certain)
    if key not in _parsed:
        data = make()
        _parsed[key] = _parse(name, data, certain) if data is not None else None
        while len(_parsed) > _KEPT:
            _parsed.popitem(last=False)
    return _parsed[key]


def _parse(name: str, data: bytes, certain: bool) -> ListRows | None:
    try:
        return parse_list(name, data, certain)
    except ListRefused:
        # The designer was told at publishing; here it is a list about which nothing can be said.
        return None
