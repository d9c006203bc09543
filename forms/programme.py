"""What the programme decides about each form (site kinds, cadence, legal basis, retention, data classes) and each
entity list (who receives it, how its values merge).

Reads library/programme.toml and nothing else. Who may see which class is the server's policy, not ours.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forms.errors import FormsError

LIBRARY = Path(__file__).parent / "library"
DATA_CLASSES = ("D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8")
SITE_KINDS = ("border_post", "centre", "mobile_patrol", "landing_place", "relay", "headquarters")
CADENCES = ("daily", "weekly", "none")
# An answer that nobody classed may name a person.
UNCLASSED = "D3"

_INDEX = re.compile(r"\[\d+\]")
# Calendar durations only: nobody keeps a record for hours.
_DURATION = re.compile(r"^P\d+[DMY]$")
_AFTER = ("event", "exit", "closure", "receipt", "programme_end")
_THEN = ("erase", "pseudonymise", "keep")
_NAMES = ("site_property", "state_property", "date_property", "parent_property", "follows")
# latest: the last observed. highest: the gravest. forward: a state that never goes back. union: all choices of a
# multiple select. review: the last observed, and a human chooses.
_RULES = ("latest", "highest", "forward", "union", "review")


class ProgrammeRefused(FormsError):
    """The programme file says something that we do not understand; nothing of it is used."""


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long one part of a record lives. `keep` is an ISO 8601 duration; None is without end."""

    what: str
    after: str
    then: str
    keep: str | None = None


@dataclass(frozen=True, slots=True)
class FormPolicy:
    """What the programme says about one form. A form without an entry has every default here."""

    form_id: str
    site_kinds: tuple[str, ...] = SITE_KINDS
    cadence: str = "none"
    urgent: bool = False
    # How sensitive it is that a record exists at all, whatever its answers are.
    record_class: str = UNCLASSED
    # The yes-or-no question whose answer can make a record bypass its site: nobody there may know that it exists.
    restricted_by: str = ""
    legal_basis: Mapping[str, str] = field(default_factory=dict)
    retention: tuple[RetentionRule, ...] = ()
    data_classes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MergePolicy:
    """How concurrent values of one property become one; `order` ranks the values of `highest` and `forward`."""

    rule: str = "latest"
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListPolicy:
    """What the programme says about one entity list. Without an entry no tablet receives a row of it.

    A row goes to the tablets of the site that `site_property` names, at these kinds of site, until
    `state_property` is one of `closed`, and for no more than `open_days` after the date in `date_property`.
    Tablets of `region_kinds` get the rows of every site of their region and of the regions below it.
    A value that is blank or cannot be read matches nothing.
    """

    name: str
    site_kinds: tuple[str, ...] = ()
    site_property: str = ""
    state_property: str = ""
    closed: tuple[str, ...] = ()
    region_kinds: tuple[str, ...] = ()
    date_property: str = ""
    open_days: int = 0
    # The property that names an entity of another list to which a row belongs: of a stay its event.
    parent_property: str = ""
    # The list of that entity, where a row is at whatever site that one is at: a referral goes with its stay.
    follows: str = ""
    # The columns of a list that no form declares yet.
    properties: tuple[str, ...] = ()
    # How sensitive it is that a row exists, and each value of it that `data_classes` does not class otherwise.
    record_class: str = UNCLASSED
    data_classes: Mapping[str, str] = field(default_factory=dict)
    # What a mask leaves: without these values nobody could tell one row from another.
    unmasked: tuple[str, ...] = ()
    # The words for the codes of a property, where no question of the forms has them.
    vocabularies: Mapping[str, str] = field(default_factory=dict)
    # The values, beside the label, by whose words people find a row.
    searched: tuple[str, ...] = ()
    # What forms save for the server's own sake: no tablet is given it.
    server_only: tuple[str, ...] = ()
    merge: Mapping[str, MergePolicy] = field(default_factory=dict)

    def data_class(self, name: str) -> str:
        return self.data_classes.get(name) or self.record_class

    def merge_policy(self, name: str) -> MergePolicy:
        return self.merge.get(name) or MergePolicy()


@dataclass(frozen=True, slots=True)
class Programme:
    """The whole file: forms by id, the classes common to all forms, and which vocabulary each choice list repeats."""

    forms: Mapping[str, FormPolicy] = field(default_factory=dict)
    lists: Mapping[str, ListPolicy] = field(default_factory=dict)
    data_classes: Mapping[str, str] = field(default_factory=dict)
    vocabularies: Mapping[str, str] = field(default_factory=dict)

    def policy_for(self, form_id: str) -> FormPolicy:
        return self.forms.get(form_id) or FormPolicy(form_id)

    def policy_for_list(self, name: str) -> ListPolicy:
        return self.lists.get(name) or ListPolicy(name)

    def find_data_class(self, form_id: str, path: str) -> str | None:
        """The class that a line of the file gives to a field: its path before its name, its form before the rest."""
        plain = _INDEX.sub("", path)
        name = plain.rsplit("/", 1)[-1]
        for classes in (self.policy_for(form_id).data_classes, self.data_classes):
            if found := classes.get(plain) or classes.get(name):
                return found
        return None

    def data_class(self, form_id: str, path: str) -> str:
        return self.find_data_class(form_id, path) or UNCLASSED


def load_programme(path: Path = LIBRARY / "programme.toml") -> Programme:
    """Read the programme file, or raise ProgrammeRefused naming the line's place and what it may say."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise ProgrammeRefused("programme_unreadable", reason=str(wrong)) from wrong
    return parse_programme(data)


def parse_programme(data: Mapping[str, Any]) -> Programme:
    """Judge what a programme file says, already read as a table."""
    _refuse_unknown(data, ("data_classes", "vocabularies", "forms", "lists"), "programme.toml")
    lists = _table(data.get("lists", {}), "lists")
    forms = _table(data.get("forms", {}), "forms")
    return Programme(
        forms={form_id: _policy(form_id, _table(one, f"forms.{form_id}")) for form_id, one in forms.items()},
        lists={name: _list_policy(name, _table(one, f"lists.{name}")) for name, one in lists.items()},
        data_classes=_classes(data.get("data_classes", {}), "data_classes"),
        vocabularies=_texts(data.get("vocabularies", {}), "vocabularies"),
    )


def _policy(form_id: str, table: Mapping[str, Any]) -> FormPolicy:
    where = f"forms.{form_id}"
    _refuse_unknown(table, tuple(FormPolicy.__dataclass_fields__)[1:], where)
    return FormPolicy(
        form_id,
        site_kinds=tuple(
            _one_of(kind, SITE_KINDS, f"{where}.site_kinds")
            for kind in _names(table.get("site_kinds", SITE_KINDS), f"{where}.site_kinds")
        ),
        cadence=_one_of(table.get("cadence", "none"), CADENCES, f"{where}.cadence"),
        urgent=_flag(table.get("urgent", False), f"{where}.urgent"),
        record_class=_one_of(table.get("record_class", UNCLASSED), DATA_CLASSES, f"{where}.record_class"),
        restricted_by=_texts({"restricted_by": table.get("restricted_by", "")}, where)["restricted_by"],
        legal_basis=_texts(table.get("legal_basis", {}), f"{where}.legal_basis"),
        retention=_retention(table.get("retention", []), f"{where}.retention"),
        data_classes=_classes(table.get("data_classes", {}), f"{where}.data_classes"),
    )


def _list_policy(name: str, table: Mapping[str, Any]) -> ListPolicy:
    where = f"lists.{name}"
    _refuse_unknown(table, tuple(ListPolicy.__dataclass_fields__)[1:], where)
    kinds = _names(table.get("site_kinds", []), f"{where}.site_kinds")
    regions = _names(table.get("region_kinds", []), f"{where}.region_kinds")
    merge = _table(table.get("merge", {}), f"{where}.merge")
    texts = {key: table[key] for key in _NAMES if key in table}
    if ("open_days" in table) != ("date_property" in table):
        raise ProgrammeRefused("programme_shape", where=where, needed="open_days and date_property together")
    if "follows" in table and "parent_property" not in table:
        raise ProgrammeRefused("programme_shape", where=where, needed="parent_property beside follows")
    return ListPolicy(
        name,
        site_kinds=tuple(_one_of(kind, SITE_KINDS, f"{where}.site_kinds") for kind in kinds),
        region_kinds=tuple(_one_of(kind, SITE_KINDS, f"{where}.region_kinds") for kind in regions),
        open_days=_days(table.get("open_days", 0), f"{where}.open_days"),
        closed=tuple(_names(table.get("closed", []), f"{where}.closed")),
        properties=tuple(_names(table.get("properties", []), f"{where}.properties")),
        record_class=_one_of(table.get("record_class", UNCLASSED), DATA_CLASSES, f"{where}.record_class"),
        data_classes=_classes(table.get("data_classes", {}), f"{where}.data_classes"),
        unmasked=tuple(_names(table.get("unmasked", []), f"{where}.unmasked")),
        vocabularies=_texts(table.get("vocabularies", {}), f"{where}.vocabularies"),
        searched=tuple(_names(table.get("searched", []), f"{where}.searched")),
        server_only=tuple(_names(table.get("server_only", []), f"{where}.server_only")),
        merge={one: _merge_policy(_table(given, where), f"{where}.merge.{one}") for one, given in merge.items()},
        **_texts(texts, where),
    )


def _merge_policy(table: Mapping[str, Any], where: str) -> MergePolicy:
    _refuse_unknown(table, ("rule", "order"), where)
    rule = _one_of(table.get("rule", "latest"), _RULES, f"{where}.rule")
    return MergePolicy(rule, tuple(_names(table.get("order", []), f"{where}.order")))


def _classes(value: object, where: str) -> dict[str, str]:
    """From class → fields, as people write it, to field → class, as it is asked."""
    found: dict[str, str] = {}
    for data_class, fields in _table(value, where).items():
        _one_of(data_class, DATA_CLASSES, where)
        for name in _names(fields, f"{where}.{data_class}"):
            if name in found:
                raise ProgrammeRefused(
                    "programme_class_twice", where=where, name=name, first=found[name], second=data_class
                )
            found[name] = data_class
    return found


def _retention(value: object, where: str) -> tuple[RetentionRule, ...]:
    if not isinstance(value, list):
        raise ProgrammeRefused("programme_shape", where=where, needed="a list of rules")
    return tuple(_rule(_table(one, where), where) for one in value)


def _rule(table: Mapping[str, Any], where: str) -> RetentionRule:
    _refuse_unknown(table, ("what", "keep", "after", "then"), where)
    rule = RetentionRule(**{"what": "", "after": "", "then": "", **_texts(table, where)})
    _one_of(rule.after, _AFTER, f"{where}.after")
    _one_of(rule.then, _THEN, f"{where}.then")
    if rule.keep is not None and not _DURATION.match(rule.keep):
        raise ProgrammeRefused("programme_shape", where=f"{where}.keep", needed="a duration such as P30D, P12M or P5Y")
    return rule


def _refuse_unknown(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise ProgrammeRefused("programme_key", where=where, key=key, known=", ".join(known))


def _one_of(value: object, known: tuple[str, ...], where: str) -> str:
    if not isinstance(value, str) or value not in known:
        raise ProgrammeRefused("programme_value", where=where, value=value, known=", ".join(known))
    return value


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ProgrammeRefused("programme_shape", where=where, needed="a table")
    return value


def _texts(value: object, where: str) -> dict[str, str]:
    table = _table(value, where)
    if not all(isinstance(one, str) for one in table.values()):
        raise ProgrammeRefused("programme_shape", where=where, needed="a table of texts")
    return dict(table)


def _names(value: object, where: str) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise ProgrammeRefused("programme_shape", where=where, needed="a list of names")
    return list(value)


def _days(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 3660:
        raise ProgrammeRefused("programme_shape", where=where, needed="a number of days")
    return value


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ProgrammeRefused("programme_shape", where=where, needed="true or false")
    return value
