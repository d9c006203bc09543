from datetime import UTC, datetime
from typing import Any

from server.tablets.fleet import Plan, make_fleet, run_fleet, summarise, work_offline
from tests.library_fills import shipped_blank

NOW = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)


def enrolment(name: str) -> dict[str, Any]:
    return {
        "device": name,
        "server_url": "http://127.0.0.1:9/v1/key/abc/projects/1",
        "username": "t1",
        "password": "secret",
        "settings": {"project": {"name": "Teral ROSSO"}},
    }


def test_the_same_seed_makes_the_same_installations() -> None:
    first, second = (make_fleet([enrolment("A"), enrolment("B")], Plan(NOW)) for _ in range(2))
    ids = [[one.client.collect_id for one in fleet] for fleet in (first, second)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def test_site_is_read_from_the_settings() -> None:
    [tablet] = make_fleet([enrolment("A")], Plan(NOW))
    assert tablet.officer.site == "ROSSO"


def test_digest_goes_to_the_plain_address() -> None:
    [tablet] = make_fleet([enrolment("A")], Plan(NOW, digest=True))
    assert (tablet.server_url, tablet.client.login is not None) == ("http://127.0.0.1:9", True)


def test_server_that_is_not_there_is_a_fault_and_no_crash() -> None:
    tablets = make_fleet([enrolment("A")], Plan(NOW))
    summary = run_fleet(tablets, Plan(NOW))
    assert (summary["records"], len(summary["faults"])) == (0, 2)
    assert summarise(tablets)["tablets"] == 1


def test_summary_counts_the_rows_on_board_and_those_that_are_ahead_of_the_server() -> None:
    [tablet] = make_fleet([enrolment("A")], Plan(NOW))
    rows = "".join(f"5f0c1f3e-1d2a-4b6c-8d3e-00000000000{number},Dossier,1\n" for number in range(3))
    tablet.queue.entities.take_list("dossiers", f"name,label,__version\n{rows}".encode(), "h")
    tablet.queue.entities.list_rows()[0].version += 1
    summary = summarise([tablet])
    assert (summary["entities"], summary["entities_ahead"]) == (3, 1)


def test_chance_leaves_alone_what_a_story_tells() -> None:
    [tablet] = make_fleet([enrolment("A")], Plan(NOW))
    tablet.queue.blanks["f07_assistance"] = shipped_blank("f07_assistance")[0]
    work_offline(tablet, Plan(NOW, told=frozenset({"f07_assistance"})))
    assert (tablet.queue.records, tablet.given_up) == ([], 0)
    work_offline(tablet, Plan(NOW, records=3))
    assert len(tablet.queue.records) + tablet.given_up == 3
