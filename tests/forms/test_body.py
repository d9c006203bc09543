import pytest

from forms.definition import Choice, Field, Itemset
from tests.forms.samples import definition

INLINE = "<label>A</label><item><label>Eau</label><value>eau</value></item><item><value>riz</value></item>"
LIST = """<bind nodeset="/data/a"/><instance id="villes"><root>
  <item><name>rosso</name><label>Rosso</label></item><item><label>Sans nom</label></item></root></instance>"""


def field(body: str, model: str = "", path: str = "/data/a") -> Field:
    return definition("<a/><g><b/></g>", model, body).by_path[path]


@pytest.mark.parametrize("control", ["input", "secret", "trigger", "upload", "range", "select", "select1"])
def test_every_control_makes_a_question(control: str) -> None:
    read = field(f'<{control} ref="/data/a"><label>A</label><hint>B</hint></{control}>')
    assert (read.kind, read.control, read.label, read.hint) == ("question", control, {"": "A"}, {"": "B"})


def test_rank_of_the_odk_namespace_is_a_control() -> None:
    assert field(f'<odk:rank ref="/data/a">{INLINE}</odk:rank>').control == "rank"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('<input ref="a"/>', id="relative to the root"),
        pytest.param('<input nodeset="/data/a"/>', id="nodeset for ref"),
        pytest.param('<group ref="/data/g"><input ref="../a"/></group>', id="relative to its group"),
        pytest.param('<group><label>Sans ref</label><input ref="/data/a"/></group>', id="in a group without node"),
        pytest.param('<h:div><input ref="/data/a"/></h:div>', id="in an element that we do not know"),
        pytest.param('<input bind="x"/>', id="by the id of its bind"),
    ],
)
def test_control_finds_its_node(body: str) -> None:
    assert field(body, '<bind id="x" nodeset="/data/a"/>').control == "input"


def test_control_and_repeat_without_node_ask_nothing() -> None:
    form = definition("<a/>", body="<input><label>?</label></input><repeat><input ref='/data/a'/></repeat>")
    assert [one.kind for one in form.fields] == ["structure"]


def test_repeat_takes_the_label_of_the_group_around_it() -> None:
    body = """<group ref="/data/g"><label>Gens</label><repeat nodeset="/data/g" jr:count=" /data/a ">
      <input ref="/data/g/b"/></repeat></group>"""
    read = field(body, path="/data/g")
    assert (read.kind, read.label, read.repeat_count) == ("repeat", {"": "Gens"}, "/data/a")
    assert field(body, path="/data/g/b").repeat == "/data/g"


def test_repeat_without_group_has_its_own_label_and_no_count() -> None:
    read = field('<repeat nodeset="/data/g"><label>Gens</label></repeat>', path="/data/g")
    assert (read.label, read.repeat_count) == ({"": "Gens"}, None)


def test_choices_that_stand_in_the_question() -> None:
    assert field(f'<select1 ref="/data/a">{INLINE}</select1>').itemset == Itemset(
        choices=(Choice("eau", {"": "Eau"}), Choice("riz", {}))
    )


@pytest.mark.parametrize(
    ("nodeset", "filtered"),
    [
        ("instance('villes')/root/item", False),
        ("instance('villes')/root/item[name != /data/b]", True),
        ('randomize(instance("villes")/root/item)', False),
    ],
)
def test_choices_of_a_list_in_the_form(nodeset: str, filtered: bool) -> None:
    refs = '<value ref="name"/><label ref="label"/>'
    body = f"""<select1 ref="/data/a"><itemset nodeset='{nodeset}'>{refs}</itemset></select1>"""
    if '"' in nodeset:
        body = body.replace('"villes"', "&quot;villes&quot;")
    itemset = field(body.replace("nodeset='", 'nodeset="').replace("'>", '">'), LIST).itemset
    assert itemset is not None
    assert (itemset.instance, itemset.filtered) == ("villes", filtered)
    assert itemset.choices == (Choice("rosso", {"": "Rosso"}),)


def test_choices_of_a_list_nobody_declared_are_unknown() -> None:
    itemset = field("""<select ref="/data/a"><itemset nodeset="instance('x')/root/item"/></select>""").itemset
    assert itemset == Itemset(instance="x", nodeset="instance('x')/root/item")


def test_choices_out_of_a_repeat_name_no_instance() -> None:
    itemset = field(
        """<select ref="/data/a"><itemset nodeset="/data/g[b = instance('x')/root/item]"/></select>"""
    ).itemset
    assert itemset is not None
    assert (itemset.instance, itemset.filtered) == (None, True)


def test_files_that_old_controls_search_are_attachments() -> None:
    body = """<input ref="/data/a" query="instance('v')/root/item"/>
      <select1 ref="/data/g/b" appearance="search('villages.csv', 'matches')"/>"""
    named = [one.name for one in definition("<a/><g><b/></g>", body=body).attachments]
    assert named == ["itemsets.csv", "villages.csv"]
