"""Which rows a viewer may see at all. Every list and every single row goes through here, so no view can forget it.

What may be read inside a row is policy.py's question.
"""

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, false, or_, true
from sqlalchemy import select as select_from
from sqlalchemy.orm import InstrumentedAttribute

from forms.programme import UNCLASSED, ListPolicy
from sync.models import (
    Alert,
    AuditEvent,
    Device,
    Entity,
    EntityContribution,
    PersonRecord,
    RestrictedSubmission,
    Site,
    Submission,
)
from sync.policy import DATA_CLASSES, Viewer, access, list_countable_classes, list_row_classes, programme

_Select = TypeVar("_Select", bound=Select[*tuple[Any, ...]])


def scope_submissions(select: _Select, viewer: Viewer) -> _Select:
    """Keep the submissions of forms whose records the viewer may know of, at the sites that are theirs."""
    return _at_reach(select.where(of_classes(list_row_classes(viewer))), viewer)


def scope_counts(select: _Select, viewer: Viewer) -> _Select:
    """Keep the submissions that the viewer may count, be it that they may not list them (policy.present_counts)."""
    return _at_reach(select.where(of_classes(list_countable_classes(viewer))), viewer)


def _at_reach(select: _Select, viewer: Viewer) -> _Select:
    """What is near enough: all, the own site without what bypasses it, or what bypasses its site and nothing else."""
    if any(access(viewer, one).bypassing for one in DATA_CLASSES):
        return select.where(_bypasses())
    if not _bound_to_site(viewer):
        return select
    able = [one.form_id for one in programme().forms.values() if one.restricted_by]
    return _at_own_site(select.where(or_(Submission.form_id.not_in(able), ~_bypasses())), Submission.site_id, viewer)


def _bypasses() -> ColumnElement[bool]:
    return Submission.id.in_(select_from(RestrictedSubmission.submission_id))


def scope_people(select: _Select, viewer: Viewer, record: Any = PersonRecord) -> _Select:
    """Keep the person records that the viewer may read (class D3); `record` is an alias where a query has several."""
    cell = access(viewer, "D3")
    if not cell.reads or cell.own_records:
        return select.where(false())
    return _at_own_site(select, record.site_id, viewer) if cell.own_site else select


def scope_entities(select: _Select, viewer: Viewer, list_name: str, *, unplaced: bool = False) -> _Select:
    """Keep the entities of a list that the viewer may know of: by the list's class, and at kinds of site that get it.

    With `unplaced` also those that say no site but that a record from the viewer's own site speaks of: an update that
    came before its entity.
    """
    policy = programme().policy_for_list(list_name)
    if policy.record_class not in list_row_classes(viewer):
        return select.where(false())
    select = select.where(Entity.list_name == list_name)
    if not access(viewer, policy.record_class).own_site:
        return select
    code = receiving_site(viewer, policy)
    at_site = Entity.site_code == code
    return select.where(or_(at_site, _is_unplaced(viewer, code)) if unplaced else at_site)


def receiving_site(viewer: Viewer, policy: ListPolicy) -> ScalarSelect[str]:
    """The code of the viewer's site, if it is of a kind that gets the list: a border post never sees a stay."""
    kinds = (*policy.site_kinds, *policy.region_kinds)
    return select_from(Site.code).where(Site.id == viewer.site_id, Site.kind.in_(kinds)).scalar_subquery()


def _is_unplaced(viewer: Viewer, code: ScalarSelect[str]) -> ColumnElement[bool]:
    spoken = select_from(EntityContribution.entity_id).join(EntityContribution.submission)
    own = spoken.where(Submission.site_id == viewer.site_id, EntityContribution.entity_id == Entity.id)
    return and_(Entity.site_code == "", code.is_not(None), own.exists())


def scope_devices(select: _Select, viewer: Viewer) -> _Select:
    """Keep the tablets that the viewer may know of (class D7)."""
    cell = access(viewer, "D7")
    if not cell.sees_rows:
        return select.where(false())
    return _at_own_site(select, Device.site_id, viewer) if cell.own_site else select


def scope_alerts(select: _Select, viewer: Viewer) -> _Select:
    """Keep the alerts about tablets that the viewer may know of."""
    cell = access(viewer, "D7")
    if not cell.sees_rows:
        return select.where(false())
    return _at_own_site(select, Alert.site_id, viewer) if cell.own_site else select


def scope_sites(select: _Select, viewer: Viewer) -> _Select:
    """Keep the one site of a viewer who is tied to a site; everybody else sees all."""
    return _at_own_site(select, Site.id, viewer) if _bound_to_site(viewer) else select


def scope_audit(select: _Select, viewer: Viewer) -> _Select:
    """Keep the audit events that the viewer may read: all, their own, or none (class D8)."""
    cell = access(viewer, "D8")
    if not cell.reads:
        return select.where(false())
    return select.where(AuditEvent.actor_id == viewer.actor_id) if cell.own_records else select


def site_of(viewer: Viewer) -> int | None:
    """The site that bounds this viewer's sight: an id, -1 when they are tied to a site but have none, or None."""
    if not _bound_to_site(viewer):
        return None
    return -1 if viewer.site_id is None else viewer.site_id


def _bound_to_site(viewer: Viewer) -> bool:
    return any(access(viewer, one).own_site for one in ("D1", "D2", "D3"))


def _at_own_site(select: _Select, column: InstrumentedAttribute[Any], viewer: Viewer) -> _Select:
    return select.where(false() if viewer.site_id is None else column == viewer.site_id)


def of_classes(classes: frozenset[str]) -> ColumnElement[bool]:
    """Submissions by the class of their form's records. A form that the programme does not name has the default."""
    forms = programme().forms.values()
    if classes >= {UNCLASSED, *(one.record_class for one in forms)}:
        return true()  # nothing is hidden, and an index need not be left for the form's name
    named = Submission.form_id.in_([one.form_id for one in forms if one.record_class in classes])
    unnamed = Submission.form_id.not_in([one.form_id for one in forms])
    return or_(named, unnamed) if UNCLASSED in classes else named
