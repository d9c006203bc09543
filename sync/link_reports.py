"""The reports on linkage models: what each run over the whole registry found, kept beside the model that ran."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, contains_eager

from sync.models import LinkModelVersion, LinkReport

# A month of nights; those before say nothing about the registry of today.
_KEPT = 30


def add_report(session: Session, version: str, content: Mapping[str, Any], now: datetime) -> LinkReport:
    """Keep what a run of the model of this version found; its oldest reports go."""
    model = session.scalars(select(LinkModelVersion).where(LinkModelVersion.version == version)).one()
    report = LinkReport(model=model, made_at=now, content=dict(content))
    session.add(report)
    session.flush()
    newest = select(LinkReport.id).where(LinkReport.model_id == model.id).order_by(LinkReport.id.desc()).limit(_KEPT)
    old = LinkReport.id < select(func.min(newest.subquery().c.id)).scalar_subquery()
    session.execute(delete(LinkReport).where(LinkReport.model_id == model.id, old))
    return report


def list_reports(session: Session, version: str) -> Sequence[LinkReport]:
    """The reports on the model of this version, the newest first."""
    query = select(LinkReport).join(LinkReport.model).options(contains_eager(LinkReport.model))
    return session.scalars(query.where(LinkModelVersion.version == version).order_by(LinkReport.id.desc())).all()


def read_latest_reports(session: Session) -> dict[str, LinkReport]:
    """The latest report on each model, by its version."""
    latest = select(func.max(LinkReport.id)).group_by(LinkReport.model_id)
    query = select(LinkReport).join(LinkReport.model).options(contains_eager(LinkReport.model))
    return {one.model.version: one for one in session.scalars(query.where(LinkReport.id.in_(latest)))}
