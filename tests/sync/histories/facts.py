"""What a server is told: records and the words of people."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sync.entity_facts import ActFacts, DecisionFacts, SaidFacts
from sync.families import Standing
from tests.sync.histories.plans import LIST


@dataclass(frozen=True, slots=True)
class Saying:
    """What a record says about one stay, and what its tablet had seen."""

    entity: str
    values: dict[str, str]
    creates: bool = False
    base: int | None = None
    trunk: int | None = None
    branch: str | None = None

    def render(self) -> str:
        offline = f' trunkVersion="{self.trunk or ""}" branchId="{self.branch or ""}"'
        seen = "" if self.creates else f' baseVersion="{self.base}"{offline}'
        label = f"<label>Dossier {self.entity[-2:]}</label>" if self.creates else ""
        act = "create" if self.creates else "update"
        entity = f'<meta><entity dataset="{LIST}" {act}="1" id="{self.entity}"{seen}>{label}</entity></meta>'
        return "".join(f"<{name}>{value}</{name}>" for name, value in self.values.items()) + entity


@dataclass(frozen=True, slots=True)
class Record:
    """One submission. `sound`: validation finds nothing wrong with it."""

    instance_id: str
    says: tuple[Saying, ...]
    ended_at: datetime
    deprecated_id: str | None = None
    sound: bool = True

    @property
    def form_id(self) -> str:
        return "arrivee" if self.says[0].creates else "tournee"

    @property
    def body(self) -> bytes:
        replaces = f"<deprecatedID>{self.deprecated_id}</deprecatedID>" if self.deprecated_id else ""
        meals = "" if self.sound else "vingt"
        told = "".join(f"<sejours>{one.render()}</sejours>" for one in self.says)
        return (
            f'<data id="{self.form_id}" version="1"><end>{self.ended_at.isoformat()}</end><repas>{meals}</repas>'
            f"{told}<meta><instanceID>{self.instance_id}</instanceID>{replaces}</meta></data>"
        ).encode()

    @property
    def sha256(self) -> str:
        return sha256(self.body).hexdigest()

    def facts(self, standing: Standing) -> Iterator[tuple[str, SaidFacts]]:
        counted: dict[str, int] = {}
        for one in self.says:
            counted[one.entity] = counted.get(one.entity, 0) + 1
            yield one.entity, SaidFacts(
                0, self.form_id, self.instance_id, standing.root_id, counted[one.entity], self.ended_at,
                "create" if one.creates else "update", one.base, one.trunk, one.branch,
                f"Dossier {one.entity[-2:]}" if one.creates else None, one.values, standing.counts,
                standing.superseded_by is not None,
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person's word about a record."""

    sha256: str
    kind: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Release:
    """That a record has waited for too long."""

    entity: str
    record: str


@dataclass(frozen=True, slots=True)
class Undoing:
    """That a decision was taken back."""

    entity: str
    uuid: str


Fact = Record | Verdict | Release | Undoing | tuple[str, ActFacts] | tuple[str, DecisionFacts]


def describe(record: Record) -> str:
    said = "; ".join(
        f"{'creates' if one.creates else 'updates'} {one.entity[-2:]}"
        + ("" if one.creates else f" at {one.base} (trunk {one.trunk}, branch {(one.branch or '')[-3:]})")
        + f" {one.values}"
        for one in record.says
    )
    edit = f" replacing {record.deprecated_id}" if record.deprecated_id else ""
    return f"{record.instance_id}{edit}{'' if record.sound else ' (with an error)'} ({record.sha256[:6]}): {said}"
