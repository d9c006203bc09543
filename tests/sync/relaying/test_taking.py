"""What is refused, and that nothing of it stays."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import Site
from sync.relaying.lines import FactLine, Line, RelayRefused
from sync.relaying.taking import take_each
from tests.sync.factory import add_site


@pytest.mark.both_databases
@pytest.mark.parametrize("bad", [set(), {"C"}, {"A", "E"}, set("ABCDE")], ids=["none", "one", "two", "all"])
def test_a_line_that_is_refused_stops_no_other_and_leaves_nothing(session: Session, bad: set[str]) -> None:
    def take(lines: Sequence[Line]) -> list[str]:
        for one in lines:
            add_site(session, one.name.removeprefix("fact "))
            if one.name.removeprefix("fact ") in bad:
                raise RelayRefused("relay_number", number=1)
        return [one.name.removeprefix("fact ") for one in lines]

    taken, refused = take_each(session, [FactLine(one) for one in "ABCDE"], take)
    good = [one for one in "ABCDE" if one not in bad]
    assert [one for some in taken for one in some] == good
    assert refused == ["relay_number" for _ in bad]
    assert session.scalars(select(Site.code).order_by(Site.code)).all() == good
