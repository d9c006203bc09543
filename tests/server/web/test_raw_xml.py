"""The XML of a record for who may read it: the very bytes, or blanked where they are not for the reader."""

import pytest

from server.web.raw_xml import withhold
from sync.policy import Viewer
from tests.seed import CANARIES, arrival_xml, shipped_form

FORM = shipped_form("f04_arrivee").definition
XML = arrival_xml(FORM.version, "uuid:1")


def test_what_is_not_for_the_reader_is_blanked() -> None:
    read = withhold(XML, FORM, Viewer(1, "protection_officer", 1)).decode()
    assert CANARIES["D7"] not in read
    assert all(CANARIES[name] in read for name in ("D1", "D2", "D3", "D4"))


def test_a_record_in_which_all_is_theirs_stays_as_it_came() -> None:
    xml = f'<data id="f04_arrivee" version="{FORM.version}"><seq>7</seq></data>'.encode()
    assert withhold(xml, FORM, Viewer(1, "protection_officer", 1)) is xml


@pytest.mark.parametrize("unknown", ["nouveau", "personnes/identite/autre"])
def test_what_no_question_asked_is_taken_for_an_identity(unknown: str) -> None:
    start, end = (
        "".join(f"<{one}>" for one in unknown.split("/")),
        "".join(f"</{one}>" for one in reversed(unknown.split("/"))),
    )
    xml = f'<data id="f04_arrivee" version="{FORM.version}">{start}Awa Ndiaye{end}</data>'.encode()
    assert b"Awa" not in withhold(xml, FORM, Viewer(1, "national_supervisor"))
