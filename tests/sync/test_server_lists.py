"""Lists that the server makes itself."""

import re

import pytest
from sqlalchemy.orm import Session

from sync.server_lists import find_earlier_list, keep_server_lists, list_hash, render_sites_csv
from tests.forms.test_library import FORM_IDS, shipped
from tests.sync.factory import NOW, add_site


def test_sites_are_listed_by_code(session: Session) -> None:
    add_site(session, "ROS", name="Rosso, poste", region="SN-SL", capacity=40, languages="fr wo", phone="338000000")
    add_site(session, "DIA", name="Diama")
    assert render_sites_csv(session).decode().splitlines() == [
        "name,label,type,region,languages,capacity,phone",
        "DIA,Diama,border_post,,,,",
        'ROS,"Rosso, poste",border_post,SN-SL,fr wo,40,338000000',
    ]


def test_closed_site_is_not_listed(session: Session) -> None:
    add_site(session, "ROS", closed_at=NOW)
    assert render_sites_csv(session).count(b"\n") == 1


def test_a_state_is_kept_once_and_found_again(session: Session) -> None:
    add_site(session, "ROS")
    before = render_sites_csv(session)
    for _ in range(2):
        keep_server_lists(session)
        session.flush()
    add_site(session, "DIA")
    assert find_earlier_list(session, "sites.csv", list_hash(before)) == before
    assert find_earlier_list(session, "sites.csv", list_hash(render_sites_csv(session))) is None


@pytest.mark.parametrize("form_id", FORM_IDS)
def test_shipped_form_reads_only_columns_that_the_list_has(session: Session, form_id: str) -> None:
    read = set(re.findall(r"instance\('sites'\)/root/item\[[^]]*\]/(\w+)", shipped(form_id).xml.decode()))
    assert read <= set(render_sites_csv(session).decode().splitlines()[0].split(","))
