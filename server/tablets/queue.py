"""What a tablet holds: blank forms, and records that are finalised, sent, or failed to send."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from lxml import etree

from server.tablets.blanks import BlankForm
from server.tablets.entities import EntityStore
from server.tablets.filler import Filled

State = Literal["finalised", "failed", "sent"]


@dataclass(slots=True)
class Record:
    """One finalised record. `message` is the last that the server had the officer read."""

    form_id: str
    filled: Filled
    xml: bytes
    finalised_at: datetime
    deprecated_id: str | None = None
    submission_url: str | None = None
    state: State = "finalised"
    status: int | None = None
    message: str = ""

    @property
    def instance_id(self) -> str:
        return self.filled.instance_id

    @property
    def files(self) -> dict[str, bytes]:
        return self.filled.files

    @property
    def xml_name(self) -> str:
        """Collect names the file after form and time."""
        return f"{self.form_id}_{self.finalised_at:%Y-%m-%d_%H-%M-%S}.xml"


@dataclass(slots=True)
class Queue:
    """The local store. Records stay after they were sent, as Collect keeps them until somebody deletes them."""

    blanks: dict[str, BlankForm] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    last_saved: dict[str, etree._Element] = field(default_factory=dict)
    entities: EntityStore = field(default_factory=EntityStore)

    def list_waiting(self) -> list[Record]:
        """What must still be sent, oldest first."""
        waiting = [one for one in self.records if one.state != "sent"]
        return sorted(waiting, key=lambda one: one.finalised_at)

    def list_sent(self) -> list[Record]:
        return [one for one in self.records if one.state == "sent"]
