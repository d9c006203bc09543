"""Which twin and which edit counts, decided from the set alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.families import Member, Standing, decide_family, trace_edits

DAY = datetime(2026, 3, 2, tzinfo=UTC)


def member(id_: int, instance: str, replaces: str | None = None, sha: str = "", **facts: object) -> Member:
    return replace(Member(id_, instance, replaces, sha or f"{id_:064}"), **facts)  # type: ignore[arg-type]


def accepted(one: Member, day: int = 1) -> Member:
    return replace(one, decision="accept", decided_at=DAY + timedelta(days=day))


def counting(*members: Member) -> list[int]:
    return [key for key, one in decide_family(members).items() if one.counts]


def test_a_record_alone_counts() -> None:
    assert decide_family([member(1, "a")]) == {1: Standing("a", counts=True)}


def test_an_edit_takes_the_place_of_its_original() -> None:
    standings = decide_family([member(1, "a"), member(2, "b", "a")])
    assert standings == {1: Standing("a", superseded_by=2), 2: Standing("a", counts=True)}


def test_an_edit_without_its_original_waits() -> None:
    assert decide_family([member(2, "b", "a")]) == {2: Standing("b", waits_for="a")}


def test_a_chain_of_edits_waits_for_its_beginning() -> None:
    standings = decide_family([member(3, "c", "b"), member(2, "b", "a")])
    assert {one.waits_for for one in standings.values()} == {"a"}


def test_of_twins_the_smaller_digest_counts() -> None:
    standings = decide_family([member(1, "a", sha="f"), member(2, "a", sha="0")])
    assert (standings[2].counts, standings[1].reason) == (True, "twin")


def test_of_rival_edits_the_smaller_digest_counts() -> None:
    standings = decide_family([member(1, "a"), member(2, "b", "a", sha="f"), member(3, "c", "a", sha="0")])
    assert (standings[1].superseded_by, standings[2].reason, standings[3].counts) == (3, "stale_edit", True)


def test_later_edits_of_a_losing_branch_wait_with_it() -> None:
    losing = [member(2, "b", "a", sha="f"), member(4, "d", "b")]
    standings = decide_family([member(1, "a"), *losing, member(3, "c", "a", sha="0")])
    assert [standings[2].reason, standings[4].reason] == ["stale_edit", "stale_edit"]


@pytest.mark.parametrize("twin_of", ["a", "b"], ids=["twin", "edit"])
def test_what_a_person_accepted_counts(twin_of: str) -> None:
    replaces = "a" if twin_of == "b" else None
    first = member(1, "a") if replaces else None
    rivals = [member(2, twin_of, replaces, sha="0"), accepted(member(3, "c" if replaces else "a", replaces, sha="f"))]
    assert counting(*([first] if first else []), *rivals) == [3]


def test_the_later_acceptance_counts() -> None:
    assert counting(accepted(member(1, "a"), day=1), accepted(member(2, "a"), day=2)) == [2]


def test_accepting_a_later_edit_carries_its_branch() -> None:
    rest = [member(1, "a"), member(2, "b", "a", sha="f"), member(3, "c", "a", sha="0")]
    assert counting(*rest, accepted(member(4, "d", "b"))) == [4]


def test_a_rejected_edit_gives_the_original_back() -> None:
    assert counting(member(1, "a"), member(2, "b", "a", decision="reject")) == [1]


def test_an_edit_of_a_rejected_record_counts_under_its_name() -> None:
    standings = decide_family([member(1, "a", decision="reject"), member(2, "b", "a")])
    assert standings == {1: Standing("a", superseded_by=2), 2: Standing("a", counts=True)}


def test_rival_edits_of_a_rejected_record_are_rivals_still() -> None:
    rivals = [member(2, "b", "a", sha="f"), member(3, "c", "a", sha="0")]
    assert counting(member(1, "a", decision="reject"), *rivals) == [3]


def test_an_edit_of_a_rejected_edit_takes_the_place_of_both() -> None:
    standings = decide_family([member(1, "a"), member(2, "b", "a", decision="reject"), member(3, "c", "b")])
    assert (standings[1].superseded_by, standings[3]) == (3, Standing("a", counts=True))


def test_a_rejected_edit_gives_way_to_its_rival() -> None:
    rivals = [member(2, "b", "a", sha="0", decision="reject"), member(3, "c", "a", sha="f")]
    standings = decide_family([member(1, "a"), *rivals])
    assert (standings[1].superseded_by, standings[2], standings[3].counts) == (3, Standing("a"), True)


def test_where_all_were_rejected_nobody_counts() -> None:
    assert counting(member(1, "a", decision="reject"), member(2, "b", "a", decision="reject")) == []


def test_an_edit_with_errors_leaves_its_original_in_force() -> None:
    assert counting(member(1, "a"), member(2, "b", "a", sound=False)) == [1]


def test_edits_in_a_circle_do_not_stall() -> None:
    assert len(decide_family([member(1, "a", "b"), member(2, "b", "a")])) == 2


def test_an_edit_is_traced_to_where_all_began() -> None:
    chain = [member(3, "c", "b"), member(2, "b", "a", decision="reject"), member(1, "a")]
    assert trace_edits([*chain, member(4, "d", "a")], 3) == [1, 2, 3]


def test_a_trace_goes_by_the_twin_that_speaks_for_its_name() -> None:
    twins = [member(1, "a", sha="f"), member(2, "a", sha="0")]
    assert trace_edits([*twins, member(3, "b", "a")], 3) == [2, 3]


def test_edits_in_a_circle_have_no_beginning() -> None:
    assert trace_edits([member(1, "a", "b"), member(2, "b", "a")], 1) == [1]


names = st.sampled_from("abcd")
members = st.lists(
    st.tuples(names, st.none() | names, st.sampled_from([None, "accept", "reject"]), st.booleans()), max_size=6
)


@given(members)
def test_order_changes_nothing(drawn: list[tuple[str, str | None, str | None, bool]]) -> None:
    family = [
        member(place, instance, replaces, decision=decision, sound=sound, decided_at=DAY + timedelta(days=place))
        for place, (instance, replaces, decision, sound) in enumerate(drawn)
    ]
    expected = decide_family(family)
    assert all(decide_family(order) == expected for order in list(permutations(family))[:24])


@given(members)
def test_who_counts_is_traced_to_its_root_in_any_order(drawn: list[tuple[str, str | None, str | None, bool]]) -> None:
    family = [member(n, instance, replaces, decision=word) for n, (instance, replaces, word, _) in enumerate(drawn)]
    for key, one in decide_family(family).items():
        if one.counts:
            traced = trace_edits(family, key)
            assert (family[traced[0]].instance_id, traced[-1]) == (one.root_id, key)
            assert trace_edits(family[::-1], key) == traced


@given(members)
def test_one_chain_has_one_voice(drawn: list[tuple[str, str | None, str | None, bool]]) -> None:
    family = [member(n, instance, replaces, decision=word) for n, (instance, replaces, word, _) in enumerate(drawn)]
    standings = decide_family(family)
    roots = [one.root_id for one in standings.values() if one.counts]
    assert len(roots) == len(set(roots))
    assert set(standings) == {one.id for one in family}


@given(st.lists(st.tuples(st.none() | names, st.sampled_from([None, "accept", "reject"]), st.booleans()), max_size=4))
def test_no_word_gives_a_record_a_second_voice(drawn: list[tuple[str | None, str | None, bool]]) -> None:
    plain = [member(place, "abcd"[place], replaces) for place, (replaces, _word, _sound) in enumerate(drawn)]
    judged = [replace(one, decision=word, sound=sound) for one, (_, word, sound) in zip(plain, drawn, strict=True)]
    roots, found = decide_family(plain), decide_family(judged)
    assert [found[one.id].root_id for one in judged] == [roots[one.id].root_id for one in plain]
    assert len(counting(*judged)) <= len(counting(*plain))
