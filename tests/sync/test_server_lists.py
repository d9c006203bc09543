"""Lists that the server makes itself."""

from sqlalchemy.orm import Session

from sync.server_lists import render_sites_csv
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
