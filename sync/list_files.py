"""The lists with which a form version's records are judged: its attached files and the lists that the server makes."""

from collections import OrderedDict
from hashlib import sha256

from sqlalchemy.orm import Session

from forms.lists import HeldLists, ListRefused, ListRows, parse_list
from sync.attachments import AttachmentStore
from sync.models import FormAttachment, FormVersion
from sync.server_lists import SERVER_LISTS

_KEPT = 64
_parsed: OrderedDict[tuple[str, str], ListRows | None] = OrderedDict()


def load_lists(session: Session, store: AttachmentStore, version: FormVersion) -> HeldLists:
    """Gather every list of a form version that is at hand; what is missing or unreadable is left out.

    A list that the server makes may have changed since the tablet fetched it, so it is never certain.
    """
    lists = {one.name: _load(session, store, one) for one in version.attachments if one.type == "list"}
    return HeldLists({name: rows for name, rows in lists.items() if rows is not None})


def _load(session: Session, store: AttachmentStore, attachment: FormAttachment) -> ListRows | None:
    if attachment.blob_sha256 is not None:
        key = (attachment.name, attachment.blob_sha256)
        return _parsed[key] if key in _parsed else _parse(key, store.read(attachment.blob_sha256), certain=True)
    # An entity list differs from tablet to tablet, so nothing certain can be said about it here.
    if not attachment.server_made or attachment.name not in SERVER_LISTS:
        return None
    data = SERVER_LISTS[attachment.name](session)
    key = (attachment.name, sha256(data).hexdigest())
    return _parsed[key] if key in _parsed else _parse(key, data, certain=False)


def _parse(key: tuple[str, str], data: bytes, *, certain: bool) -> ListRows | None:
    try:
        rows = parse_list(key[0], data, certain)
    except ListRefused:
        # The designer was told at publishing; here it is a list about which nothing can be said.
        rows = None
    _parsed[key] = rows
    while len(_parsed) > _KEPT:
        _parsed.popitem(last=False)
    return rows
