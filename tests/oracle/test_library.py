"""The shipped forms in JavaRosa: what a tablet accepts, refuses and computes."""

from functools import cache

import pytest

from server.tablets.filler import Told
from tests.forms.samples import SAMPLES
from tests.forms.test_library import FORM_IDS, shipped
from tests.forms.test_library import saved as saved_by
from tests.library_fills import EVENT, ON_BOARD, REFERRAL, fill_as_told, fill_shipped, stay_id
from tests.oracle.client import Answer, Oracle

SITES = "name,label,type,region\nROS,Rosso,border_post,SL\nPAT,Patrouille,mobile_patrol,SL\nKLK,Kaolack,centre,KL\n"
EVENTS = "name,label,__version,type,date,site_debarq,n_vivants,etat\n"
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


@pytest.mark.parametrize("form_id", FORM_IDS)
def test_a_tablet_accepts_what_simulated_tablets_fill(oracle: Oracle, form_id: str) -> None:
    lists = {name: data.decode() for name, data in ON_BOARD.items()}
    form = shipped(form_id).xml.decode()
    for filled in fill_shipped(form_id, 6, seed=2):
        assert findings(oracle.validate(form, filled.xml.decode(), lists)) == []


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


def told(oracle: Oracle, form_id: str, answers: Told, site: str | None = None) -> tuple[Answer, dict[str, str]]:
    """A record that an officer was told to fill: what JavaRosa says of it, and the entities that it names, by list."""
    filled = fill_as_told(form_id, answers, site)
    assert filled.problems == []
    lists = {name: data.decode() for name, data in ON_BOARD.items()}
    answer = oracle.validate(shipped(form_id).xml.decode(), filled.xml.decode(), lists)
    return answer, {one.get("dataset", ""): one.get("id", "") for one in filled.root.iter("{*}entity")}


def test_news_of_an_event_changes_nothing_but_what_is_ticked(oracle: Oracle) -> None:
    answers = {"action": "suite", "existant": EVENT, "changements": "ailleurs", "n_ailleurs": "2", "clore": "non"}
    answer, entities = told(oracle, "f03_evenement", answers, "CADKR")
    saved = {name for _list, name, field in saved_by("f03_evenement") if field.path in values(answer)}
    assert (findings(answer), saved, entities) == ([], {"n_ailleurs"}, {"evenements": EVENT})


def test_an_event_ends_for_good(oracle: Oracle) -> None:
    answers = {"action": "suite", "existant": EVENT, "clore": "oui"}
    answer, _ = told(oracle, "f03_evenement", answers)
    assert (values(answer)["/data/etat"], values(answer)["/data/etiquette"]) == ("clos", "")


def test_a_recount_renames_the_event(oracle: Oracle) -> None:
    counts = {"vivants_femmes": "3", "vivants_hommes": "6", "vivants_filles": "1", "vivants_garcons": "0"}
    answers = {"action": "suite", "existant": EVENT, "changements": "vivants", "clore": "non", **counts}
    answer, _ = told(oracle, "f03_evenement", answers)
    assert values(answer)["/data/etiquette"] == "2026-03-01 04:10 · secours mer · 10"


def test_a_centre_reports_no_event_of_its_own(oracle: Oracle) -> None:
    assert fill_as_told("f03_evenement", {"action": "nouveau"}, "CADKR").problems[0] == "/data/evenement/action"
    filled = fill_as_told("f03_evenement", {"action": "nouveau"}).xml.decode().replace("<site>FLEUVE<", "<site>CADKR<")
    lists = {name: data.decode() for name, data in ON_BOARD.items()}
    answer = oracle.validate(shipped("f03_evenement").xml.decode(), filled, lists)
    assert ("/data/evenement/action", "choice") in findings(answer)


def test_survivors_and_dead_are_no_more_than_were_on_board(oracle: Oracle) -> None:
    counts = {"vivants_femmes": "3", "vivants_hommes": "6", "vivants_filles": "1", "vivants_garcons": "0"}
    event = {"action": "nouveau", **counts, "blesses": "1", "morts": "2", "disparus": "0"}
    assert findings(told(oracle, "f03_evenement", {**event, "declares_bord": "12"})[0]) == []
    assert fill_as_told("f03_evenement", {**event, "declares_bord": "11"}).problems == ["/data/declares_bord"]


def test_help_for_several_people_is_a_change_of_each_stay(oracle: Oracle) -> None:
    chosen = [stay_id(number) for number in (3, 0, 4)]
    answers = {"volet": "assistance", "dossiers": " ".join(chosen), "aide": "repas"}
    filled = fill_as_told("f07_assistance", answers)
    assert [one.get("id") for one in filled.root.iter("{*}entity")] == chosen
    answer, _ = told(oracle, "f07_assistance", answers)
    assert [values(answer)[f"/data/beneficiaires[{number}]/dossier"] for number in (1, 2, 3)] == chosen
    assert values(answer)["/data/beneficiaires[1]/dossier_nom"] == "CADKR-3 · F · 25-59 · A3"
    assert findings(answer) == []


def test_a_complaint_changes_no_stay(oracle: Oracle) -> None:
    answer, entities = told(oracle, "f07_assistance", {"volet": "plainte", "sensible": "oui", "anonyme": "oui"})
    assert (findings(answer), entities) == ([], {})
    assert "/data/plainte/rappel_contact" not in values(answer)


@pytest.mark.parametrize(
    ("target", "on_tablets"), [("cnltp", "protection"), ("dacg", "protection"), ("sante", "sante")]
)
def test_a_referral_tells_tablets_no_more_than_it_must(oracle: Oracle, target: str, on_tablets: str) -> None:
    answers = {"action": "nouvelle", "dossier": stay_id(1), "cible": target, "echeance": "2026-03-05"}
    answer, entities = told(oracle, "f08_orientation", answers)
    row = {
        name: values(answer)[f"/data/liste_orientations/{name}"] for name in ("dossier_ref", "cible_liste", "statut")
    }
    assert row == {"dossier_ref": "CADKR-1", "cible_liste": on_tablets, "statut": "envoyee"}
    label = values(answer)["/data/liste_orientations/meta/entity/label"]
    assert (findings(answer), label) == ([], f"CADKR-1 · {on_tablets} · 2026-03-05")
    assert entities["dossiers"] == stay_id(1)


@pytest.mark.parametrize(("target", "never"), [("dacg", "besoins"), ("osc", "judiciaire"), ("sante", "exploitation")])
def test_a_service_is_never_offered_what_it_must_not_get(target: str, never: str) -> None:
    answers = {"action": "nouvelle", "cible": target, "champs": never}
    assert set(fill_as_told("f08_orientation", answers).problems) == {"/data/demande/champs"}


@pytest.mark.parametrize(("base", "leaves"), [("consentement", True), ("legale", True), ("enfant", False)])
def test_identity_leaves_with_consent_or_a_legal_duty_alone(base: str, leaves: bool) -> None:
    answers = {"action": "nouvelle", "cible": "cnltp", "base": base, "champs": "identite"}
    assert (fill_as_told("f08_orientation", answers).problems == []) == leaves


def test_the_minimum_for_a_service_is_ticked_when_it_is_chosen() -> None:
    filled = fill_as_told("f08_orientation", {"action": "nouvelle", "cible": "dacg"})
    assert filled.root.findtext("demande/champs") == "reference lieu_date judiciaire"


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ({"action": "accuse", "existante": REFERRAL, "reponse_service": "acceptee"}, "acceptee"),
        ({"action": "accuse", "existante": REFERRAL, "reponse_service": "refusee"}, "refusee"),
        ({"action": "cloture", "existante": REFERRAL, "resultat": "oui"}, "close"),
    ],
    ids=["accepted", "refused", "closed"],
)
def test_an_answer_moves_the_referral_and_marks_the_stay(oracle: Oracle, answers: dict[str, str], status: str) -> None:
    answer, entities = told(oracle, "f08_orientation", answers)
    assert (findings(answer), entities) == ([], {"orientations": REFERRAL, "dossiers": stay_id(1)})
    assert values(answer)["/data/liste_orientations/statut"] == status


@pytest.mark.parametrize(
    ("answers", "saved"),
    [
        ({"type_sortie": "transfert", "vers": "CASTL"}, {"site_id": "CASTL", "etat": "transfere"}),
        ({"type_sortie": "depart_volontaire"}, {"etat": "clos"}),
        ({"type_sortie": "deces"}, {"etat": "clos"}),
    ],
    ids=["transfer", "departure", "death"],
)
def test_a_departure_moves_the_stay_or_ends_it(oracle: Oracle, answers: dict[str, str], saved: dict[str, str]) -> None:
    answer, entities = told(oracle, "f09_sortie", {"dossier": stay_id(2), **answers})
    assert (findings(answer), entities) == ([], {"dossiers": stay_id(2)})
    given = {
        name: values(answer)[field.path] for _, name, field in saved_by("f09_sortie") if field.path in values(answer)
    }
    assert given == {**saved, "maj": given["maj"]}


def test_of_a_death_nothing_else_is_asked(oracle: Oracle) -> None:
    answer, _ = told(oracle, "f09_sortie", {"dossier": stay_id(2), "type_sortie": "deces"})
    assert [path for path in values(answer) if path.startswith("/data/remise/")] == []


@pytest.mark.parametrize(("way", "asked"), [("debarquement", True), ("interception", True), ("transfert", False)])
def test_arrivals_from_the_field_alone_are_counted_to_an_event(oracle: Oracle, way: str, asked: bool) -> None:
    answers: Told = {"venue": way, **({"evt": EVENT} if asked else {}), "personnes": [{}, {}]}
    answer, _ = told(oracle, "f04_arrivee", answers)
    counted = [values(answer).get(f"/data/personnes[{number}]/evt_id", "") for number in (1, 2)]
    assert (findings(answer), counted, "/data/evt" in values(answer)) == ([], [EVENT if asked else ""] * 2, asked)
