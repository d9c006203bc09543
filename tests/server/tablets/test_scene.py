"""The scene of the demonstration, played against a real server: a conflict, an update on hold, a row to be deleted."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from server import create_app
from server.cli.setup import set_up
from server.extensions import db
from server.processing import process_pending
from server.tablets.fleet import Plan, make_fleet
from server.tablets.scene import play_landing, play_scene
from server.tablets.tablet import Tablet
from sync.entity_browsing import find_entity, list_troubles
from sync.programme.headcount_rows import list_open_gaps
from tests.live import demo_settings, serving

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Tablet]]:
    """A demonstration's server, a patrol's tablet and the two of a centre, with forms and lists on board."""
    settings = demo_settings(tmp_path_factory.mktemp("scene"))
    enrolments = {one["device"]: one for one in set_up(settings, demo=True)["tablets"]}
    with serving(settings), create_app(settings).app_context():
        tablets = make_fleet([enrolments[name] for name in ("FLEUVE-01", "CADKR-01", "CADKR-02")], Plan(NOW))
        for one in tablets:
            one.refresh()
        yield tablets
        db.session.remove()
        db.engine.dispose()


def settle() -> None:
    process_pending()
    db.session.remove()


def test_the_scene_leaves_what_a_supervisor_should_see(field: list[Tablet], monkeypatch: pytest.MonkeyPatch) -> None:
    mistake = play_scene(*field, NOW, settle)
    settle()
    troubles = {(one.name, one.trouble): one.count for one in list_troubles(db.session(), None)}
    assert troubles == {("evenements", "conflict"): 1, ("dossiers", "held"): 1}
    assert mistake is not None
    assert find_entity(db.session(), None, "dossiers", mistake) is not None
    # A server that judges nothing ends the scene.
    monkeypatch.setattr("server.tablets.scene._PATIENCE", 1)
    assert play_scene(*field, NOW, lambda: None) is None


def test_a_landing_leaves_one_count_that_does_not_close(field: list[Tablet]) -> None:
    patrol, centre, _ = field
    play_landing(patrol, centre, NOW, settle)
    settle()
    [gap] = list_open_gaps(db.session(), None, NOW)
    assert (gap.numbers, gap.gap, gap.dead, gap.missing) == ("6 4 1 0", 1, 1, 2)
    assert len(centre.queue.entities.lists["orientations"].entities) == 1
