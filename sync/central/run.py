"""An exchange: the steps that the rooms find, taken one after the other; or only counted, to see what would move."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from forms.errors import FormsError
from sync.central.answers import find_untold
from sync.central.bridge import Bridge, Step
from sync.central.forms import find_new_versions, find_unpublished, list_peer_forms
from sync.central.lists import find_differences
from sync.central.records import find_late_files, find_new_records
from sync.peer_answers import PeerError

_PROBLEMS_KEPT = 50


@dataclass(slots=True)
class Outcome:
    """What moved, and what went wrong: `failed` when the exchange could not go on, `stopped` when it had to end."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[dict[str, Any]] = field(default_factory=list)
    failed: bool = False
    stopped: bool = False

    @property
    def word(self) -> str:
        return "failed" if self.failed else "stopped" if self.stopped else "done"

    def add(self, step: Step) -> None:
        if step.kind:
            self.counts[step.kind] += step.count

    def note(self, what: str, error: FormsError) -> None:
        """Keep what went wrong as the catalogue's sentence and its params, which quote no answer."""
        params = {name: str(value) for name, value in error.params.items()}
        if len(self.problems) < _PROBLEMS_KEPT:
            self.problems.append({"what": what, "message": error.messages[error.code], "params": params})


def exchange(bridge: Bridge, may_go_on: Callable[[], bool] = lambda: True) -> Outcome:
    """Do all that there is to do with a peer. What one record meets stops no other; a dead line ends the exchange."""
    return _walk(bridge, may_go_on, _take)


def plan(bridge: Bridge) -> Outcome:
    """Say what an exchange would move now, and move nothing."""
    return _walk(bridge, lambda: True, lambda step, outcome: outcome.add(step))


_Visit = Callable[[Step, Outcome], None]


def _walk(bridge: Bridge, may_go_on: Callable[[], bool], visit: _Visit) -> Outcome:
    outcome = Outcome()
    try:
        for what, steps in _list_rooms(bridge):
            _walk_room(what, steps, may_go_on, visit, outcome)
            if outcome.stopped:
                break
    except FormsError as error:
        outcome.failed = True
        outcome.note("", error)
    return outcome


def _walk_room(
    what: str, steps: Iterator[Step], may_go_on: Callable[[], bool], visit: _Visit, outcome: Outcome
) -> None:
    try:
        for step in steps:
            if not may_go_on():
                outcome.stopped = True
                return
            if step.problem is not None:
                outcome.note(step.what, step.problem)
            else:
                visit(step, outcome)
    except PeerError as error:
        if error.is_lasting:
            raise
        outcome.note(what, error)


def _take(step: Step, outcome: Outcome) -> None:
    try:
        step.do()
        outcome.add(step)
    except FormsError as error:
        if isinstance(error, PeerError) and error.is_lasting:
            raise
        outcome.note(step.what, error)


def _list_rooms(bridge: Bridge) -> Iterator[tuple[str, Iterator[Step]]]:
    """What is looked through, each by itself: a form or list that the account may not see stops no other."""
    if bridge.peer.pulls_records:
        for form in list_peer_forms(bridge):
            yield str(form["xmlFormId"]), find_new_versions(bridge, form)
            yield str(form["xmlFormId"]), find_late_files(bridge, str(form["xmlFormId"]))
            yield str(form["xmlFormId"]), find_new_records(bridge, str(form["xmlFormId"]))
    if bridge.peer.direction == "both":
        yield "", find_untold(bridge)
    if bridge.peer.pushes:
        # Lists come first: Central links a form to a list of the name that it asks for only while the form comes.
        for name in bridge.peer.lists:
            yield name, find_differences(bridge, name)
        for form_id in bridge.peer.publishes:
            yield form_id, find_unpublished(bridge, form_id)
