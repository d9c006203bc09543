"""Rows that are where another row is: a referral goes with its stay to the centre that the stay is transferred to.

The site is read off the other row and stands in no fact of its own, so the order of arrival changes nothing.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session, aliased

from sync.entity_state import EntityState
from sync.models import Entity
from sync.policy import programme

_Parent = aliased(Entity)
_APART = (
    select(Entity.id, Entity.list_name, Entity.site_code, _Parent.site_code.label("goes_to"))
    .join(_Parent, _Parent.uuid == Entity.parent_uuid)
    .where(Entity.parent_uuid.in_(bindparam("uuids", expanding=True)), Entity.list_name == bindparam("name"))
    .where(_Parent.list_name == bindparam("followed"), _Parent.site_code != "", _Parent.site_code != Entity.site_code)
)
_entities = Entity.__table__
_MOVE = update(Entity).where(_entities.c.id == bindparam("key")).values(site_code=bindparam("goes_to"))


def follow_rows(session: Session, written: Collection[EntityState]) -> set[tuple[str, str]]:
    """Move rows to the site of those that they follow, whichever was written; return lists and sites that changed."""
    touched: set[tuple[str, str]] = set()
    for policy in programme().lists.values():
        uuids = set(_list_followed(written, policy.name, policy.follows)) if policy.follows else set()
        if not uuids:
            continue
        facts = {"uuids": sorted(uuids), "name": policy.name, "followed": policy.follows}
        rows = session.connection().execute(_APART, facts).all()
        if rows:
            session.connection().execute(_MOVE, [{"key": row.id, "goes_to": row.goes_to} for row in rows])
        touched |= {(row.list_name, code) for row in rows for code in (row.site_code, row.goes_to)}
    return touched


def _list_followed(written: Iterable[EntityState], name: str, followed: str) -> Iterable[str]:
    """The ids of rows whose followers may stand at another site by now."""
    policy = programme().policy_for_list(name)
    for one in written:
        if one.list_name == followed:
            yield one.uuid
        elif one.list_name == name and (uuid := one.parent_uuid(policy)):
            yield uuid
