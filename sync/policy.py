"""Who may do and see what: roles × data classes (the wall) and roles × acts, as two tables. Pure values.

Row scopes for queries are in scopes.py; journalling of what was read is in audit.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeVar

from forms.programme import Programme, load_programme
from sync.suppression import suppress

_Key = TypeVar("_Key")

DATA_CLASSES = ("D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8")
PERSONAL_CLASSES = frozenset({"D3", "D4", "D5", "D6"})
# For what somebody may open identities that their role does not work with every day.
PURPOSES = ("data_quality", "protection", "person_request", "legal_request", "oversight")

# D1 operations, D2 movements and events, D3 stay and identity, D4 needs, consent and complaints, D5 trafficking and
# judicial, D6 financial, D7 accounts and devices, D8 audit.
#
# `exchange` is no person: the account of another server or of a script that is trusted with everything it moves.
# `relay` is our own server at a post: it brings everything and reads nothing but what its tablets need.
#
# A cell is verbs, a colon, limits. Verbs: C create, R read, U update, V validate, X export; "a" aggregate only,
# "i" metadata only (that a record exists, never what it says), "-" nothing.
# Limits: s own site, o own records, r records that bypass their site and no others, m masked, p for a stated purpose
# (without one: only that a record exists).
_TABLE = """
                      D1       D2      D3      D4      D5      D6     D7      D8
administrator         CRU      -       -       -       -       -      CRU     R
national_supervisor   RVX      RVX:m   R:mp    a       a       a      R       R
site_supervisor       CRUV:s   RV:s    R:sm    a:s     -       a:s    R:s     R:o
centre_staff          C:s      R:s     CRU:s   CR:so   -       C      -       -
protection_officer    R:s      R:s     CRU:s   CRU:s   CRU:s   -      -       -
focal_point           R:r      R:r     -       R:r     -       -      -       R:o
data_steward          -        R:m     R       -       -       -      -       R:o
form_designer         -        -       -       -       -       -      -       -
auditor               R        R:m     R:m     i       i       i      R       RX
exchange              CRUVX    CRUVX   CRUVX   CRUVX   CRUVX   CRUVX  CRU     -
relay                 C        C       C       C       C       C      -       -
"""

# Who may do what. An act says nothing about whose data it shows: that is the table above and the row scopes.
_PERMISSIONS = """
                     status.read  submissions.read  submissions.decide  submissions.export  people.read
administrator        x            -                 -                   -                   -
national_supervisor  x            x                 x                   x                   x
site_supervisor      x            x                 x                   -                   x
centre_staff         x            x                 -                   -                   x
protection_officer   x            x                 x                   -                   x
focal_point          -            x                 -                   -                   -
data_steward         -            x                 -                   -                   x
form_designer        -            -                 -                   -                   -
auditor              x            x                 -                   -                   x
exchange             x            x                 x                   x                   -
relay                -            -                 -                   -                   -

                     forms.read  forms.publish  forms.validate  devices.read  devices.enrol  alerts.settle
administrator        x           x              x               x             x              x
national_supervisor  x           -              -               x             -              -
site_supervisor      x           -              -               x             -              -
centre_staff         -           -              -               -             -              -
protection_officer   x           -              -               -             -              -
focal_point          -           -              -               -             -              -
data_steward         -           -              -               -             -              -
form_designer        x           x              x               -             -              -
auditor              x           -              -               x             -              -
exchange             x           x              -               x             x              -
relay                x           -              -               -             -              -

                     entities.read  entities.decide  entities.export  entities.delete
administrator        -              -                -                -
national_supervisor  x              x                x                x
site_supervisor      x              x                -                x
centre_staff         x              x                -                -
protection_officer   x              x                -                x
focal_point          -              -                -                -
data_steward         x              -                -                -
form_designer        -              -                -                -
auditor              x              -                -                -
exchange             x              x                x                -
relay                -              -                -                -

                     users.manage  sites.manage  settings.manage  jobs.read  audit.read
administrator        x             x             x                x          x
national_supervisor  -             -             -                x          x
site_supervisor      -             -             -                -          x
centre_staff         -             -             -                -          -
protection_officer   -             -             -                -          -
focal_point          -             -             -                -          x
data_steward         -             -             -                -          x
form_designer        -             -             -                -          -
auditor              -             -             -                x          x
exchange             -             -             -                -          -
relay                -             -             -                -          -

                     submissions.add  entities.change  headcounts.read  headcounts.explain  relays.exchange
administrator        -                -                -                -                   -
national_supervisor  -                -                x                x                   -
site_supervisor      -                -                x                x                   -
centre_staff         -                -                x                -                   -
protection_officer   -                -                x                -                   -
focal_point          -                -                -                -                   -
data_steward         -                -                -                -                   -
form_designer        -                -                -                -                   -
auditor              -                -                x                -                   -
exchange             x                x                -                -                   -
relay                x                -                -                -                   x

                     peers.read  peers.manage  relays.manage
administrator        x           x             x
national_supervisor  x           -             -
site_supervisor      -           -             -
centre_staff         -           -             -
protection_officer   -           -             -
focal_point          -           -             -
data_steward         -           -             -
form_designer        -           -             -
auditor              x           -             -
exchange             -           -             -
relay                -           -             -

                     links.review  links.answer  link_models.read  link_models.activate
administrator        -             -             x                 x
national_supervisor  -             -             -                 -
site_supervisor      -             x             -                 -
centre_staff         -             x             -                 -
protection_officer   x             x             -                 -
focal_point          -             -             -                 -
data_steward         x             -             -                 -
form_designer        -             -             -                 -
auditor              -             -             x                 -
exchange             -             -             -                 -
relay                -             -             -                 -

                     links.withdraw  links.withdraw_others
administrator        x               x
national_supervisor  -               -
site_supervisor      -               -
centre_staff         -               -
protection_officer   x               -
focal_point          -               -
data_steward         x               -
form_designer        -               -
auditor              -               -
exchange             -               -
relay                -               -
"""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: an actor in a role, at a site or (None) at none, and for what purpose if they stated one."""

    actor_id: int
    role: str
    site_id: int | None = None
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """One cell of the table."""

    verbs: frozenset[str] = frozenset()
    own_site: bool = False
    own_records: bool = False
    bypassing: bool = False
    masked: bool = False
    purpose: bool = False
    aggregate: bool = False
    metadata: bool = False

    @property
    def reads(self) -> bool:
        return "R" in self.verbs

    @property
    def reads_plainly(self) -> bool:
        return self.reads and not self.masked and not self.own_records and not self.bypassing

    @property
    def sees_rows(self) -> bool:
        return self.reads or self.metadata


@dataclass(frozen=True, slots=True)
class Presented:
    """A value as a viewer may have it; `text` is empty when it is absent."""

    kind: Literal["shown", "masked", "absent"]
    text: str = ""


ABSENT = Presented("absent")
# What is left of a cell whose reader has not said for what.
_WITHOUT_PURPOSE = Access(aggregate=True, metadata=True)


def _parse_cell(cell: str) -> Access:
    verbs, _, limits = cell.partition(":")
    return Access(
        verbs=frozenset(verbs) & frozenset("CRUVX"),
        own_site="s" in limits,
        own_records="o" in limits,
        bypassing="r" in limits,
        masked="m" in limits,
        purpose="p" in limits,
        aggregate=verbs == "a",
        metadata=verbs == "i",
    )


def _parse_table(text: str) -> dict[str, dict[str, str]]:
    """Read blocks of a head line and one line per role; several blocks add columns."""
    table: dict[str, dict[str, str]] = {}
    for block in text.strip("\n").split("\n\n"):
        head, *lines = block.splitlines()
        for line in lines:
            role, *cells = line.split()
            table.setdefault(role, {}).update(zip(head.split(), cells, strict=True))
    return table


TABLE: dict[str, dict[str, Access]] = {
    role: {name: _parse_cell(cell) for name, cell in row.items()} for role, row in _parse_table(_TABLE).items()
}
ROLES = tuple(TABLE)
# Roles that are no person: they speak to /v1, and no page opens for them.
PROGRAM_ROLES = frozenset({"exchange", "relay"})
_MARKS = _parse_table(_PERMISSIONS)
PERMISSIONS: dict[str, frozenset[str]] = {
    act: frozenset(role for role in ROLES if _MARKS[role][act] == "x") for act in _MARKS["administrator"]
}
# Roles that are tied to one site: an account without a site sees nothing of what is limited to it.
SITE_ROLES = frozenset(role for role, row in TABLE.items() if any(access.own_site for access in row.values()))


@cache
def programme() -> Programme:
    """The programme file as it is shipped, read once: which class a field has, and a record as a whole."""
    return load_programme()


def access(viewer: Viewer, data_class: str) -> Access:
    """The cell of the table for this viewer; an unknown role or class has no access at all."""
    cell = TABLE.get(viewer.role, {}).get(data_class, Access())
    return _WITHOUT_PURPOSE if cell.purpose and viewer.purpose not in PURPOSES else cell


def needs_purpose(viewer: Viewer, data_class: str) -> bool:
    """Whether the viewer may read this class once they have said for what."""
    return access(viewer, data_class) is _WITHOUT_PURPOSE


def may(viewer: Viewer, act: str) -> bool:
    """Whether the viewer's role may do this act; an act that nobody listed is an error of ours."""
    return viewer.role in PERMISSIONS[act]


def reads_plainly(viewer: Viewer, data_classes: Iterable[str]) -> bool:
    """Whether the viewer may read every one of these classes without a mask: the price of raw XML."""
    return all(access(viewer, one).reads_plainly for one in data_classes)


def list_row_classes(viewer: Viewer) -> frozenset[str]:
    """The classes of which the viewer may see that a record exists. Own records have no web author yet: none."""
    return frozenset(one for one in DATA_CLASSES if access(viewer, one).sees_rows and not _only_own(viewer, one))


def list_countable_classes(viewer: Viewer) -> frozenset[str]:
    """The classes of which the viewer may see how many records there are, though perhaps not which."""
    return list_row_classes(viewer) | {one for one in DATA_CLASSES if access(viewer, one).aggregate}


def present_property(viewer: Viewer, list_name: str, name: str, value: str) -> Presented:
    """A value of an entity as this viewer may see it; the programme says which values a mask leaves."""
    policy = programme().policy_for_list(list_name)
    shown = present(viewer, policy.data_class(name), value)
    return Presented("shown", value) if shown.kind == "masked" and name in policy.unmasked else shown


def may_decide_property(viewer: Viewer, list_name: str, name: str) -> bool:
    """Whether the viewer may say which of several values of an entity stands: whoever may change it and reads it."""
    changes = _changes(viewer, programme().policy_for_list(list_name).data_class(name))
    return may(viewer, "entities.decide") and changes and present_property(viewer, list_name, name, "x").kind == "shown"


def may_delete_entity(viewer: Viewer, list_name: str) -> bool:
    """Whether the viewer may take entities out of a list, and bring them back: whoever may change what they are."""
    return may(viewer, "entities.delete") and _changes(viewer, programme().policy_for_list(list_name).record_class)


def _changes(viewer: Viewer, data_class: str) -> bool:
    return bool(access(viewer, data_class).verbs & {"U", "V"})


def list_exportable_classes(viewer: Viewer) -> frozenset[str]:
    """The classes of which the viewer may take lists out of the server."""
    return frozenset(one for one in DATA_CLASSES if "X" in access(viewer, one).verbs)


def _only_own(viewer: Viewer, data_class: str) -> bool:
    return access(viewer, data_class).own_records


def present(viewer: Viewer, data_class: str, value: str, kind: str = "text") -> Presented:
    """The value as this viewer may see it: shown, masked after its kind, or absent.

    Rows outside the viewer's site never get here (scopes.py); records of their own that a limit asks for do not
    exist yet for web users, so such a cell shows nothing.
    """
    cell = access(viewer, data_class)
    if not cell.reads or cell.own_records:
        return ABSENT
    if cell.masked:
        return Presented("masked", mask(value, kind))
    return Presented("shown", value)


def mask(value: str, kind: str = "text") -> str:
    """What may stay of a masked value: an initial, a year, the last two signs of a number, else dots."""
    if not value:
        return ""
    if kind == "date":
        return value[:4] + "-••-••"
    if kind == "name":
        return value[0] + "•••"
    if kind == "number":
        return "•••" + value[-2:] if len(value) > 5 else "•••"
    return "•••"


def present_counts(viewer: Viewer, data_class: str, counts: Mapping[_Key, int]) -> dict[_Key, int | None]:
    """Counts as this viewer may see them; None is hidden, so that nobody is recognised (suppression.py)."""
    cell = access(viewer, data_class)
    return dict(counts) if cell.reads else suppress(counts)
