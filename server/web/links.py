"""Whose records are whose, where people must say: the queue, two records side by side, the answers and the way back.

Identities only (class D3), within the reader's site; what was collected to protect somebody is never here.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from forms.errors import FormsError
from server.accounts.permissions import note_reading, opens, permission
from server.accounts.sessions import current_viewer
from server.extensions import db
from server.routing import row_id
from server.web.people import PROPERTIES, add_homes, present_record
from server.web.waterfall import place_bars
from sync.link_checks import add_check, find_next_check, is_to_check, list_own_checks, measure_precision
from sync.link_decisions import (
    LinkDecisionRefused,
    Word,
    confirm_decision,
    decide_apart,
    decide_same,
    decide_unsure,
    undo_link_decision,
)
from sync.link_inquiries import ask_site, list_asked_by
from sync.link_queue import (
    Queued,
    count_questions,
    find_homes,
    list_latest,
    list_queue,
    list_unconfirmed,
    scope_link_decisions,
)
from sync.link_view import PairView, Side, find_record, view_pair
from sync.models import LinkDecision, PersonRecord
from sync.policy import Viewer
from sync.registry import lock_registry

blueprint = Blueprint("links", __name__, url_prefix="/links")

_LISTED = 25
_MOST_COLUMNS = 3
_ANSWERS = {"same": decide_same, "apart": decide_apart, "unsure": decide_unsure}


@blueprint.get("/")
@permission("links.review")
@opens("D3")
def queue() -> ResponseReturnValue:
    viewer = current_viewer()
    listed = list_queue(db.session(), viewer, datetime.now(UTC))[:_LISTED]
    if listed:
        note_reading("people.searched", "people")
    return render_template(
        "links/queue.html", queue=listed, records=_find_records(listed, viewer), done=_find_done(viewer),
        total=count_questions(db.session(), viewer), precision=measure_precision(db.session()),
        unconfirmed=add_homes(list_unconfirmed(db.session(), viewer)), check=find_next_check(db.session(), viewer),
    )  # fmt: skip


@blueprint.get("/decisions")
@permission("links.review")
def decisions() -> ResponseReturnValue:
    viewer = current_viewer()
    return render_template(
        "links/decisions.html", decisions=add_homes(list_latest(db.session(), viewer)),
        checks=list_own_checks(db.session(), viewer), inquiries=list_asked_by(db.session(), viewer),
    )  # fmt: skip


@blueprint.get("/check")
@permission("links.review")
def next_check() -> ResponseReturnValue:
    found = find_next_check(db.session(), current_viewer())
    if found is None:
        flash(gettext("No link waits to be checked by you."))
        return redirect(url_for("links.queue"))
    return redirect(url_for("links.page", home_id=found[0], rival_id=found[1]))


@blueprint.get("/<int:home_id>/<int:rival_id>")
@permission("links.review")
@opens("D3")
def page(home_id: int, rival_id: int) -> ResponseReturnValue:
    return _render_pair(_get_pair(home_id, rival_id))


@blueprint.post("/<int:home_id>/<int:rival_id>")
@permission("links.review")
def answer(home_id: int, rival_id: int) -> ResponseReturnValue:
    lock_registry(db.session())  # of two who answer at once the second one sees what the first one said
    pair, given = _get_pair(home_id, rival_id), request.form.get("answer", "")
    if not pair.is_asked:
        flash(gettext("This question is closed already."))
        return redirect(url_for("links.queue"))
    try:
        if pair.waiting:
            raise LinkDecisionRefused("link_decision_waiting")
        decision = _decide(pair, given if given in _ANSWERS else abort(400))
    except FormsError as refused:
        return _refuse(home_id, rival_id, refused)
    return redirect(_lead_on(pair, done=decision.id))


@blueprint.post("/<int:home_id>/<int:rival_id>/ask")
@permission("links.review")
def ask(home_id: int, rival_id: int) -> ResponseReturnValue:
    pair = _get_pair(home_id, rival_id)
    records = [side.record for side in pair.sides]
    asked, other = reversed(records) if request.form.get("side") == "1" else records
    wanted, note = request.form.getlist("property"), request.form.get("note", "")
    try:
        ask_site(db.session(), asked, other, wanted, note, current_viewer().actor_id, datetime.now(UTC))
    except FormsError as refused:
        return _refuse(home_id, rival_id, refused)
    flash(gettext("The site sees your question on its first page. Its answer will be here."))
    return redirect(_lead_on(pair))


@blueprint.post("/<int:home_id>/<int:rival_id>/check")
@permission("links.review")
def check(home_id: int, rival_id: int) -> ResponseReturnValue:
    """One of two people who look; whoever finds a link wrong has it parted, which can be undone."""
    lock_registry(db.session())
    pair, given, viewer = _get_pair(home_id, rival_id), request.form.get("answer", ""), current_viewer()
    one, other = (side.record for side in pair.sides)
    if not is_to_check(db.session(), viewer, one, other):
        flash(gettext("This link needs no check by you any more."))
        return redirect(url_for("links.next_check"))
    try:
        add_check(db.session(), one, other, given, viewer.actor_id, datetime.now(UTC))
        if given == "apart":
            _part(pair)
    except FormsError as refused:
        return _refuse(home_id, rival_id, refused)
    flash(gettext("Your check is noted. It can be taken back on the page Decisions."))
    return redirect(url_for("links.next_check"))


@blueprint.post("/decisions/<int:link_id>/confirm")
@permission("links.review")
def confirm(link_id: int) -> ResponseReturnValue:
    decision = _get_decision(link_id)
    try:
        confirm_decision(db.session(), decision, current_viewer().actor_id, datetime.now(UTC))
    except FormsError as refused:
        return _say(refused)
    flash(gettext("The decision holds now: two people have taken it."))
    return redirect(url_for("links.queue"))


@blueprint.post("/decisions/<int:link_id>/undo")
@permission("links.review")
def undo(link_id: int) -> ResponseReturnValue:
    decision = _get_decision(link_id)
    try:
        undo_link_decision(db.session(), decision, current_viewer().actor_id, datetime.now(UTC))
    except FormsError as refused:
        return _say(refused)
    flash(gettext("The decision is undone. What held before it holds again."))
    return redirect(_back(decision))


def _back(decision: LinkDecision) -> str:
    """To the pair that a decision was about, or to the person of the one record that it was about."""
    (homes,) = find_homes(db.session(), [decision])
    if homes:
        return url_for("links.page", home_id=homes[0], rival_id=homes[1])
    of_record = select(PersonRecord.person_id).where(PersonRecord.reference == decision.left[0])
    return url_for("people.page", person_id=db.session.scalars(of_record).one())


def _get_pair(home_id: int, rival_id: int) -> PairView:
    viewer = current_viewer()
    records = [find_record(db.session(), viewer, one) or abort(404) for one in (home_id, rival_id)]
    if home_id == rival_id:
        abort(404)
    for record in records:
        note_reading("person.read", f"person:{record.person_id}")
    return view_pair(db.session(), viewer, *records)


def _get_decision(link_id: int) -> LinkDecision:
    named = select(LinkDecision).where(LinkDecision.id == link_id)
    return db.session.scalar(scope_link_decisions(named, current_viewer())) or abort(404)


def _decide(pair: PairView, given: str) -> LinkDecision:
    one, other = (side.record.reference for side in pair.sides)
    second = given != "unsure" and pair.needs_second(same=given == "same")
    word = Word(current_viewer().actor_id, datetime.now(UTC), request.form.get("reason", ""), pair.shown, second)
    return _ANSWERS[given](db.session(), one, other, word)


def _part(pair: PairView) -> None:
    """Two who each find a link wrong have parted it, also where a document speaks for it."""
    if pair.waiting and pair.waiting.kind == "apart":
        confirm_decision(db.session(), pair.waiting, current_viewer().actor_id, datetime.now(UTC))
    else:
        _decide(pair, "apart")


def _render_pair(pair: PairView, problem: str | None = None) -> str:
    viewer = current_viewer()
    one, other = (side.record for side in pair.sides)
    columns = [(place, record, present_record(record, viewer)) for place, record in _list_columns(pair)]
    said = [values for _, _, values in columns]
    return render_template(
        "links/pair.html", pair=pair, columns=columns, problem=problem, done=_find_done(viewer),
        names=[name for name in PROPERTIES if any(name in values for values in said)],
        differing={name for name in PROPERTIES if len({values[name].text for values in said if name in values}) > 1},
        households=[[(mate, present_record(mate, viewer)) for mate in side.around] for side in pair.sides],
        rivals=[(rival, present_record(rival.record, viewer)) for rival in pair.rivals],
        bars=place_bars(pair.steps), actor_id=viewer.actor_id, after=_next_address(pair),
        checking=is_to_check(db.session(), viewer, one, other), note=request.form.get("note", ""),
    )  # fmt: skip


def _list_columns(pair: PairView) -> list[tuple[int, PersonRecord]]:
    """The two records with others of their persons beside them, as many as a screen holds."""
    return [
        (place, record)
        for place, side in enumerate(pair.sides)
        for record in [side.record, *_others(pair, side)][:_MOST_COLUMNS]
    ]


def _others(pair: PairView, side: Side) -> list[PersonRecord]:
    known = {one.record.id for one in pair.sides}
    return [record for record in side.mates if record.id not in known] if not pair.linked else []


def _refuse(home_id: int, rival_id: int, refused: FormsError) -> ResponseReturnValue:
    db.session.rollback()
    return _render_pair(_get_pair(home_id, rival_id), problem=refused.word(gettext)), 422


def _say(refused: FormsError) -> ResponseReturnValue:
    db.session.rollback()
    flash(refused.word(gettext))
    return redirect(url_for("links.queue"))


def _lead_on(pair: PairView, **given: Any) -> str:
    """The first question of the queue but the one that was just dealt with."""
    past = {side.record.home_id for side in pair.sides}
    listed = list_queue(db.session(), current_viewer(), datetime.now(UTC))
    return _address((one for one in listed if {one.one_id, one.other_id} != past), **given)


def _next_address(pair: PairView) -> str:
    """The question after this one in the order of the queue."""
    past = {side.record.home_id for side in pair.sides}
    listed = list_queue(db.session(), current_viewer(), datetime.now(UTC))
    ends = [{one.one_id, one.other_id} for one in listed]
    return _address(listed[ends.index(past) + 1 :] if past in ends else listed)


def _address(listed: Iterable[Queued], **given: Any) -> str:
    """The first of these questions, or the queue itself where there is none."""
    first = next(iter(listed), None)
    if first is None:
        return url_for("links.queue", **given)
    return url_for("links.page", home_id=first.one_id, rival_id=first.other_id, **given)


def _find_done(viewer: Viewer) -> LinkDecision | None:
    """The decision that led to this page, so that it can be undone at once."""
    named = select(LinkDecision).where(LinkDecision.id == request.args.get("done", 0, type=row_id))
    return db.session.scalar(scope_link_decisions(named.where(LinkDecision.undone_at.is_(None)), viewer))


def _find_records(listed: Iterable[Queued], viewer: Viewer) -> dict[int, Any]:
    homes = {home for one in listed for home in (one.one_id, one.other_id)}
    found = db.session.scalars(select(PersonRecord).where(PersonRecord.home_id.in_(homes)))
    return {record.home_id: (record, present_record(record, viewer)) for record in found}
