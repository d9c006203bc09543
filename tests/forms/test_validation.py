import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.definition import FormDefinition
from forms.entities import read_entity_changes
from forms.errors import Finding, FormsError, word_finding
from forms.lists import HeldLists, parse_list
from forms.records import read_encounters, read_person_records
from forms.submission import Submission, parse_submission
from forms.validation import validate_submission
from tests.forms.samples import SAMPLES, definition, sample_form, sample_submission, submission

TAUX = parse_list("taux.csv", b"name,valeur\nml,655\n")
SITES = HeldLists({"sites.csv": parse_list("sites.csv", b"name,label\nrosso,Rosso\nkidira,Kidira\n"), "taux.csv": TAUX})
INPUT = '<input ref="/data/a"/>'
SELECT = '<{0} ref="/data/a"><item><label>E</label><value>eau</value></item><item><value>riz</value></item></{0}>'
REPEAT = '<group ref="/data/r"><repeat nodeset="/data/r"><input ref="/data/r/a"/></repeat></group>'


def validate(form: FormDefinition, record: Submission, lists: HeldLists = SITES) -> list[Finding]:
    return validate_submission(form, record, lists)


def codes(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one.path, one.grade, one.code) for one in findings]


def bound(rules: str, body: str = INPUT, instance: str = "<a/>") -> FormDefinition:
    return definition(instance, f'<bind nodeset="/data/a" {rules}/>', body)


def test_honest_record_has_no_finding() -> None:
    assert validate(sample_form("accueil.md").definition, sample_submission("accueil.xml")) == []


def test_what_makes_a_record_an_edit_is_no_unknown_node() -> None:
    record = submission("<a>1</a><meta><deprecatedID>uuid:1</deprecatedID></meta>")
    assert validate(bound('type="string"'), record) == []


def test_record_of_another_form_is_an_error() -> None:
    found = validate(definition("<a/>"), parse_submission(b'<autre id="autre"/>'))
    assert codes(found) == [("/data", "error", "wrong_form"), ("/data", "error", "wrong_root")]


def test_node_that_the_form_does_not_have_is_a_warning() -> None:
    found = validate(definition("<a/>"), submission("<a>1</a><x>2</x>"))
    assert codes(found) == [("/data/x", "warning", "unknown_node")]


def test_question_that_stands_twice_is_an_error() -> None:
    found = validate(definition("<g><a/></g>"), submission("<g><a>1</a></g><g><a>2</a></g>"))
    assert codes(found) == [("/data/g[2]", "error", "repeated_node")]


def test_wrong_type_is_an_error_at_its_repeat_instance() -> None:
    form = definition("<r><a/></r>", '<bind nodeset="/data/r/a" type="int"/>', REPEAT)
    found = validate(form, submission("<r><a>1</a></r><r><a>deux</a></r>"))
    assert codes(found) == [("/data/r[2]/a", "error", "not_an_integer")]
    assert (found[0].rule, found[0].value) == ("int", "deux")


@pytest.mark.parametrize(
    ("control", "answer", "found"),
    [
        pytest.param("select1", "eau", [], id="one of the choices"),
        pytest.param("select1", "", [], id="blank"),
        pytest.param("select1", "lait", ["not_a_choice"], id="another word"),
        pytest.param("select1", "eau riz", ["not_a_choice"], id="two choices where one is asked"),
        pytest.param("select", "riz eau", [], id="several choices"),
        pytest.param("select", "riz lait", ["not_a_choice"], id="several, one foreign"),
        pytest.param("odk:rank", "riz eau", [], id="ranked choices"),
    ],
)
def test_choices_are_held_against_the_whole_list(control: str, answer: str, found: list[str]) -> None:
    form = bound('type="string"', SELECT.format(control))
    assert [one.code for one in validate(form, submission(f"<a>{answer}</a>"))] == found


def test_choice_is_held_against_the_filtered_list() -> None:
    form, record = sample_form("accueil.md").definition, sample_submission("accueil.xml")
    record.root.find("ville").text = "kayes"  # type: ignore[union-attr]
    assert codes(validate(form, record)) == [("/data/ville", "error", "not_a_choice")]


@pytest.mark.parametrize(
    ("lists", "found"),
    [
        pytest.param(
            HeldLists({"taux.csv": TAUX}), [("/data/site", "warning", "list_not_held")], id="list not at hand"
        ),
        pytest.param(
            HeldLists({"sites.csv": parse_list("sites.csv", b"name\nkidira\n"), "taux.csv": TAUX}),
            [("/data/site", "error", "not_a_choice")],
            id="list that the tablet certainly had",
        ),
        pytest.param(
            HeldLists({"sites.csv": parse_list("sites.csv", b"name\nkidira\n", certain=False), "taux.csv": TAUX}),
            [("/data/site", "warning", "list_uncertain")],
            id="list that may have changed",
        ),
    ],
)
def test_choice_of_a_list_file(lists: HeldLists, found: list[tuple[str, str, str]]) -> None:
    assert codes(validate(sample_form("accueil.md").definition, sample_submission("accueil.xml"), lists)) == found


def test_choices_made_of_the_records_own_repeats_are_judged() -> None:
    body = (
        REPEAT
        + '<select1 ref="/data/a"><itemset nodeset="/data/r"><value ref="a"/><label ref="a"/></itemset></select1>'
    )
    form = definition("<r><a/></r><a/>", body=body)
    assert validate(form, submission("<r><a>1</a></r><a>1</a>")) == []
    assert codes(validate(form, submission("<r><a>1</a></r><a>9</a>"))) == [("/data/a", "error", "not_a_choice")]


def test_choices_searched_in_a_file_are_not_judged() -> None:
    items = "<item><label>nom</label><value>code</value></item>"
    body = f"""<select1 ref="/data/a" appearance="search('villages')">{items}</select1>"""
    assert validate(definition("<a/>", body=body), submission("<a>rosso</a>")) == []


@pytest.mark.parametrize("record", ["", "<a/>", "<a> </a>"])
@pytest.mark.parametrize("rule", ["true()", "true( )", "'yes'", '"true"', "1"])
def test_always_required_question_must_be_answered(rule: str, record: str) -> None:
    form = bound(f"required='{rule}'" if '"' in rule else f'required="{rule}"')
    assert codes(validate(form, submission(record))) == [("/data/a", "error", "required")]


def question(rules: str, control: str = INPUT) -> FormDefinition:
    """A form that asks for a (under the rules) and for b."""
    return definition(
        "<a/><b/>",
        f'<bind nodeset="/data/b" type="int"/><bind nodeset="/data/a" {rules}/>',
        f'{control}<input ref="/data/b"/>',
    )


@pytest.mark.parametrize(
    ("rules", "answers", "found"),
    [
        pytest.param('required="/data/b = 1"', "<b>1</b>", ["required"], id="required by an expression"),
        pytest.param('required="/data/b = 1"', "<b>2</b>", [], id="not required by an expression"),
        pytest.param('required="true()" relevant="/data/b = 1"', "<b>2</b>", [], id="required but not relevant"),
        pytest.param('required="true()" relevant="/data/b = 1"', "<b>1</b>", ["required"], id="required and relevant"),
        pytest.param('required="true()" readonly="true()"', "", ["required"], id="required and read-only"),
        pytest.param('type="int" constraint=". &lt; 60"', "<a>60</a>", ["constraint_broken"], id="too many"),
        pytest.param('type="int" constraint=". &lt; 60"', "<a>59</a>", [], id="few enough"),
        pytest.param('constraint="false()"', "<a/>", [], id="a blank breaks no constraint"),
        pytest.param('constraint="false()" relevant="false()"', "<a>1</a>", ["not_relevant"], id="not relevant"),
        pytest.param('constraint=". &lt;= /data/b"', "<a>3</a><b>2</b>", ["constraint_broken"], id="by another answer"),
        pytest.param('type="int" constraint=". &gt; 1"', "<a>x</a>", ["not_an_integer"], id="of the wrong type"),
        pytest.param("constraint=\"regex(., '[0-9]{9}')\"", "<a>77123456</a>", ["constraint_broken"], id="pattern"),
        pytest.param('calculate="/data/b + 1" readonly="true()"', "<a>3</a><b>2</b>", [], id="as calculated"),
        pytest.param(
            'calculate="/data/b + 1" readonly="true()"', "<a>4</a><b>2</b>", ["calculation_differs"], id="else"
        ),
        pytest.param('calculate="/data/b + 1"', "<a>4</a><b>2</b>", [], id="calculated, then typed over"),
        pytest.param('calculate="uuid()" readonly="true()"', "<a>x</a>", [], id="chance is not replayed"),
        pytest.param('constraint="floor(.) = 1"', "<a>1</a>", ["xpath_unknown_function"], id="a rule nobody can read"),
        pytest.param('constraint="random() &gt; 0.5"', "<a>1</a>", ["cannot_replay"], id="a rule of chance"),
        pytest.param("constraint=\"pulldata('x', 'a', 'b', .) = 1\"", "<a>1</a>", ["list_not_held"], id="no list"),
        pytest.param('relevant="property(\'x\') = 1" required="true()"', "", ["cannot_know_property"], id="in doubt"),
    ],
)
def test_rules_of_a_question(rules: str, answers: str, found: list[str]) -> None:
    assert [one.code for one in validate(question(rules), submission(answers))] == found


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(question('required="true()" constraint="false()"', control=""), id="of a node that is not asked"),
        pytest.param(question('required="true()" calculate="\'\'"', control=""), id="of a calculate"),
        pytest.param(
            definition("<r><a/></r>", '<bind nodeset="/data/r/a" required="true()"/>', REPEAT),
            id="in a repeat without rows",
        ),
    ],
)
def test_rules_that_collect_does_not_test(form: FormDefinition) -> None:
    assert validate(form, submission("")) == []


def test_relevance_of_a_group_reaches_all_below() -> None:
    form = definition(
        "<b/><g><a/></g>",
        '<bind nodeset="/data/g" relevant="/data/b = 1"/><bind nodeset="/data/g/a" required="true()"/>',
        '<group ref="/data/g"><input ref="/data/g/a"/></group>',
    )
    assert codes(validate(form, submission("<b>1</b>"))) == [("/data/g/a", "error", "required")]
    assert validate(form, submission("<b>2</b>")) == []
    found = validate(form, submission("<b>2</b><g><a>x</a></g>"))
    assert [(one.path, one.code, one.rule) for one in found] == [("/data/g/a", "not_relevant", "/data/b = 1")]


@pytest.mark.parametrize(
    ("born", "found"),
    [
        pytest.param("2026-02-03", [], id="on the day of the record"),
        pytest.param("2026-02-04", ["clock_in_doubt"], id="a day later"),
        pytest.param("2026-02-05", ["constraint_broken"], id="two days later"),
    ],
)
def test_today_is_the_records_own_day(born: str, found: list[str]) -> None:
    form = definition(
        "<end/><a/>",
        '<bind nodeset="/data/end" type="dateTime" jr:preload="timestamp" jr:preloadParams="end"/>'
        '<bind nodeset="/data/a" type="date" constraint=". &lt;= today()"/>',
        INPUT,
    )
    record = submission(f"<end>2026-02-03T23:30:00.000-02:00</end><a>{born}</a>")
    assert [one.code for one in validate(form, record)] == found


def test_today_of_a_record_without_times_is_its_arrival() -> None:
    form = bound('type="date" constraint=". &lt;= today()"')
    record, arrived = submission("<a>2026-02-03</a>"), datetime(2026, 2, 3, 12, tzinfo=UTC)
    assert [one.code for one in validate(form, record)] == ["cannot_know_now"]
    assert validate_submission(form, record, SITES, received_at=arrived) == []


@pytest.mark.parametrize(
    ("count", "found"), [("2", []), ("3", ["repeat_count_differs"]), ("1", ["repeat_count_differs"])]
)
def test_repeats_are_as_many_as_the_form_asks_for(count: str, found: list[str]) -> None:
    body = '<input ref="/data/b"/><group ref="/data/r"><repeat nodeset="/data/r" jr:count="/data/b"/></group>'
    form = definition("<b/><r><a/></r>", '<bind nodeset="/data/b" type="int"/>', body)
    assert [one.code for one in validate(form, submission(f"<b>{count}</b><r/><r/>"))] == found


def test_calculated_boolean_is_no_text() -> None:
    form = definition(
        "<b/><c/><a/>",
        '<bind nodeset="/data/c" calculate="/data/b = 1"/>'
        '<bind nodeset="/data/a" relevant="/data/c" required="true()"/>',
        INPUT,
    )
    assert validate(form, submission("<b>2</b><c>0</c>")) == []


def test_own_message_is_kept_with_the_finding() -> None:
    found = validate(question('constraint=". != 1" jr:constraintMsg="Pas un."'), submission("<a>1</a>"))
    assert [word_finding(one) for one in found] == ["Pas un."]


def test_required_is_judged_in_each_repeat_instance_with_the_forms_own_words() -> None:
    model = '<bind nodeset="/data/r/a" required="true()" jr:requiredMsg="Le nom manque."/>'
    found = validate(definition("<r><a/></r>", model, REPEAT), submission("<r><a>1</a></r><r/>"))
    assert codes(found) == [("/data/r[2]/a", "error", "required")]
    assert word_finding(found[0]) == "Le nom manque."


ZONE = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"


@pytest.mark.parametrize(
    ("zone", "found"),
    [
        pytest.param("", [], id="none"),
        pytest.param(ZONE, [], id="whole"),
        pytest.param(ZONE.replace("7408122", "7408123"), ["mrz_check_birth_date"], id="wrong digit of the birth date"),
        pytest.param(ZONE[:-1] + "1", ["mrz_check"], id="wrong last digit"),
        pytest.param("ABC", ["mrz_length"], id="no zone at all"),
    ],
)
def test_zone_that_does_not_add_up_is_a_warning(zone: str, found: list[str]) -> None:
    record = submission(f"<a>{zone.replace('<', '&lt;')}</a>")
    findings = validate(bound('teral:person="mrz"'), record)
    assert [one.code for one in findings] == found
    assert all(one.grade == "warning" and word_finding(one) for one in findings)


def test_files_that_have_not_come_are_named() -> None:
    form, record = sample_form("accueil.md").definition, sample_submission("accueil.xml")
    found = validate_submission(form, record, SITES, {"1769.jpg"})
    assert codes(found) == [("/data/meta/audit", "warning", "attachment_missing")]
    assert word_finding(found[0]) == "The file “audit.csv” has not come yet."


RECORD = (SAMPLES / "accueil.xml").read_bytes()


@given(
    st.integers(0, len(RECORD)), st.integers(0, 80), st.binary(max_size=8) | st.sampled_from([b"<a>", b"</a>", b"1e9"])
)
def test_no_damaged_record_does_more_than_be_refused_or_judged(start: int, length: int, put: bytes) -> None:
    with contextlib.suppress(FormsError):
        record = parse_submission(RECORD[:start] + put + RECORD[start + length :])
        form = sample_form("accueil.md").definition
        assert all(word_finding(one) for one in validate_submission(form, record, SITES, set()))
        read_person_records(form, record)
        read_encounters(form, record)
        read_entity_changes(form, record)


def test_encrypted_record_tells_nothing() -> None:
    assert validate(definition("<a/>"), parse_submission(b'<data id="x" encrypted="yes"/>')) == []
