"""The shipped forms in JavaRosa: what a tablet accepts, refuses and computes."""

from functools import cache

import pytest

from forms.programme import LIBRARY
from tests.forms.samples import SAMPLES
from tests.forms.test_library import shipped
from tests.oracle.client import Answer, Oracle

SITES = "name,label,type,region\nROS,Rosso,border_post,SL\nPAT,Patrouille,mobile_patrol,SL\nKLK,Kaolack,centre,KL\n"
EVENTS = (LIBRARY / "media" / "evenements.csv").read_text(encoding="utf-8")
GROUP, COUNT, ARRIVAL = "f02_groupe.xml", "f02_comptage.xml", "f04_deux_personnes.xml"
STAY = "/data/personnes[1]"


@cache
def _sample(filename: str) -> str:
    return (SAMPLES / filename).read_text(encoding="utf-8")


def judge(oracle: Oracle, filename: str, *changes: tuple[str, str], events: str = EVENTS) -> Answer:
    record = _sample(filename)
    for old, new in changes:
        assert old in record
        record = record.replace(old, new, 1)
    form = shipped("f02_passage" if filename.startswith("f02") else "f04_arrivee").xml.decode()
    return oracle.validate(form, record, {"sites.csv": SITES, "evenements.csv": events})


def findings(answer: Answer) -> list[tuple[str, str]]:
    return [(one["path"], one["kind"]) for one in answer["findings"]]


def values(answer: Answer) -> dict[str, str]:
    return {one["path"]: one["value"] for one in answer["nodes"] if one["relevant"] and "value" in one}


@pytest.mark.parametrize("filename", [GROUP, COUNT, ARRIVAL])
def test_a_tablet_accepts_the_samples(oracle: Oracle, filename: str) -> None:
    assert findings(judge(oracle, filename)) == []


@pytest.mark.parametrize(
    ("filename", "old", "new", "path", "kind"),
    [
        pytest.param(GROUP, "<taille>3<", "<taille>1<", "/data/passage/taille", "constraint", id="a group of one"),
        pytest.param(GROUP, "<age>12<", "<age>130<", "/data/voyageurs[3]/identite/age", "constraint", id="age 130"),
        pytest.param(GROUP, "<mrz2>L8", "<mrz2>8", "/data/voyageurs[1]/document/mrz2", "constraint", id="short line"),
        pytest.param(GROUP, "<mrz1>P&lt;", "<mrz1>P ", "/data/voyageurs[1]/document/mrz1", "constraint", id="a space"),
        pytest.param(GROUP, "<sens>entree<", "<sens><", "/data/passage/sens", "required", id="no direction"),
        pytest.param(COUNT, "<n_garcons>2<", "<n_garcons>3<", "/data/comptage/n_garcons", "constraint", id="bad sum"),
        pytest.param(
            ARRIVAL, "123456-76", "123456-67", f"{STAY}/reperes/bracelet_scan", "constraint", id="swapped check digits"
        ),
        pytest.param(
            ARRIVAL, "123456-76", "124356-76", f"{STAY}/reperes/bracelet_scan", "constraint", id="swapped digits"
        ),
        pytest.param(
            ARRIVAL, "+221 77", "tel 77", f"{STAY}/attaches/telephone", "constraint", id="words in a phone number"
        ),
        pytest.param(ARRIVAL, "<nom>Ndiaye<", "<nom>4<", f"{STAY}/identite/nom", "constraint", id="a digit as a name"),
        pytest.param(ARRIVAL, "<sexe>1<", "<sexe><", f"{STAY}/identite/sexe", "required", id="no sex"),
    ],
)
def test_a_tablet_refuses(oracle: Oracle, filename: str, old: str, new: str, path: str, kind: str) -> None:
    assert (path, kind) in findings(judge(oracle, filename, (old, new)))


@pytest.mark.parametrize(
    ("old", "new", "path", "value"),
    [
        pytest.param("2009-01-21", "2008-01-15", "tranche_age", "18_24", id="eighteen today"),
        pytest.param("2009-01-21", "2008-01-16", "tranche_age", "12_17", id="eighteen tomorrow"),
        pytest.param("2009-01-21", "2008-01-16", "mineur", "oui", id="still a minor"),
        pytest.param("2009-01-21", "2026-01-15", "tranche_age", "0_4", id="born today"),
        pytest.param("2009-01-21", "2008-01-15", "echeance", "2026-01-18", id="an adult is seen within three days"),
        pytest.param("2009-01-21", "2009-01-21", "echeance", "2026-01-16", id="a minor within one"),
        pytest.param("<prenoms>élhadj", "<prenoms>ousmane", "initiales", "ON", id="initials in capitals"),
        pytest.param("<site>KLK<", "<site>ROS<", "site_id", "ROS", id="the site once corrected"),
    ],
)
def test_an_arrival_computes(oracle: Oracle, old: str, new: str, path: str, value: str) -> None:
    assert values(judge(oracle, ARRIVAL, (old, new)))[f"{STAY}/{path}"] == value


def test_a_corrected_site_keeps_the_digits_of_the_reference(oracle: Oracle) -> None:
    before = values(judge(oracle, ARRIVAL))[f"{STAY}/ref"]
    after = values(judge(oracle, ARRIVAL, ("<site>KLK<", "<site>ROS<")))[f"{STAY}/ref"]
    assert (before.startswith("KLK-"), after) == (True, before.replace("KLK-", "ROS-"))


def test_a_new_reference_is_drawn_per_person_and_checks_out(oracle: Oracle) -> None:
    """ISO 7064 MOD 97-10: the digits with their check digits leave 1."""
    blank = "<chiffres>850327070047411</chiffres>"
    assert blank in _sample(ARRIVAL)
    drawn = [values(judge(oracle, ARRIVAL, (blank, "<chiffres/>")))[f"{STAY}/ref"] for _ in range(20)]
    assert len(set(drawn)) == 20
    assert {int(one.removeprefix("KLK-").replace("-", "")) % 97 for one in drawn} == {1}
    assert {len(one) for one in drawn} == {len("KLK-85032-70700-47411-92")}


def test_events_of_this_site_alone_are_offered(oracle: Oracle) -> None:
    landed = "e1,Pirogue,1,secours,2026-01-15,KLK,3,ouvert\ne2,Pirogue,1,secours,2026-01-15,ROS,9,ouvert\n"
    chosen = values(judge(oracle, ARRIVAL, ("<evt/>", "<evt>e1</evt>"), events=EVENTS + landed))
    assert (chosen["/data/evt"], chosen["/data/n_vivants_evt"]) == ("e1", "3")
    foreign = judge(oracle, ARRIVAL, ("<evt/>", "<evt>e2</evt>"), events=EVENTS + landed)
    assert findings(foreign) == [("/data/evt", "choice")]


@pytest.mark.parametrize(("site", "asked"), [("ROS", False), ("PAT", True)], ids=["at a post", "on patrol"])
def test_a_position_is_asked_away_from_posts(oracle: Oracle, site: str, asked: bool) -> None:
    answer = judge(oracle, GROUP, ("<site>ROS<", f"<site>{site}<"))
    assert ("/data/lieu" in values(answer)) == asked
