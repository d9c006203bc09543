"""Records that lie in a peer's bin, and those that came out of it: no time there tells of that, so we remember."""

from collections.abc import Iterator, Sequence
from typing import Any

from sync.central.bridge import Bridge
from sync.peer_answers import PeerError, check_rows

_PAGE = 250


def list_binned(bridge: Bridge, form_id: str) -> list[str]:
    """The instanceIDs of the records that were deleted there and can still be restored."""
    table = bridge.client.path("forms/{form}.svc/Submissions", form=form_id)
    asked = {"$select": "__id", "$top": _PAGE, "$filter": "__system/deletedAt ne null"}
    try:
        return [one["__id"] for lines in bridge.client.list_rows(table, **asked) for one in check_rows(lines, "__id")]
    except PeerError as error:
        # Older than Central 2024.3, it has no bin for single records.
        if error.status != 501:
            raise
        return []


def ask_restored(bridge: Bridge, form_id: str, instance_ids: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """The line of each record that is in the bin no more, but for those that were deleted for good."""
    for instance_id in instance_ids:
        path = bridge.client.path("forms/{form}.svc/Submissions('{id}')", form=form_id, id=instance_id)
        try:
            told = bridge.client.ask(path, **{"$select": "__id,__system"})
        except PeerError as error:
            if error.code != "peer_missing":
                raise
        else:
            yield check_rows(told.get("value") if isinstance(told, dict) else None, "__id")
