from sync.linkage.counting import count_name_order, learn_aliases
from sync.linkage.decision import Verdict
from sync.linkage.record import LinkRecord
from tests.sync.linkage.people import MODEL


def test_name_order_counts_both_places() -> None:
    records = [LinkRecord("a", "Diallo", "Awa"), LinkRecord("b", "Jallow", "Diallo"), LinkRecord("c", "Djallo", "Sira")]
    assert count_name_order(records) == {"jalo": (3, 1)}


def test_two_names_that_several_persons_bear_become_an_alias() -> None:
    names = {"a": "Nafissatou", "b": "Naffy Zou", "c": "Nafissatou", "d": "Naffy", "e": "Naffy", "f": "Nafissatou"}
    records = [LinkRecord(one, "Ba", name) for one, name in {**names, "g": "Nafissatou"}.items()]
    pairs = [("a", "b"), ("c", "d"), ("e", "f")]
    said = [Verdict(one, other, same=True) for one, other in pairs]
    assert learn_aliases(records, {}, said) == {"naffy": ("nafissatou", 3)}
    assert learn_aliases(records, {}, said[:2]) == {}
    assert learn_aliases(records, {}, [Verdict(one, other, same=False) for one, other in pairs]) == {}


def test_one_person_of_many_records_teaches_no_alias() -> None:
    names = {"a": "Naffy", "b": "Naffy", "c": "Naffy", "d": "Nafissatou", "e": "Nafissatou", "f": "Nafissatou"}
    records = [LinkRecord(one, "Ba", name) for one, name in names.items()]
    for ends in (("ad", "bd", "cd"), ("ad", "ae", "af"), ("ad", "be", "cf", "ab", "bc")):
        assert learn_aliases(records, {}, [Verdict(*pair, same=True) for pair in ends]) == {}, ends


def test_names_that_a_rule_makes_one_are_not_learnt_again() -> None:
    records = [LinkRecord(str(number), "Ba", name) for number, name in enumerate(("Modou", "Mamadou") * 3)]
    said = [Verdict(str(number), str(number + 1), same=True) for number in (0, 2, 4)]
    assert learn_aliases(records, MODEL.aliases, said) == {}
