"""Which rows a tablet holds: those of its site, of its region, of the last thirty days, and no longer than it may.

The rules are those of the library's programme file (forms/library/programme.toml, lists). What vanishes from a view
vanishes from the tablet's own store at its next sync.
"""

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select

from sync.devices import change_device_state
from sync.models import Site
from tests.journeys.outposts import Officers, Outposts, device_of


def land(officers: Officers, place: Outposts, name: str, site: str, days_ago: int = 0) -> str:
    """A boat that lands at a site: its event, as the first tablet that may see it finds it."""
    day = datetime.now(UTC).date() - timedelta(days=days_ago)
    officers.fill("debarquer", nom=name, date=day.isoformat(), site=site)
    officers.sync()
    place.settle()
    return name


def events(officers: Officers) -> list[str]:
    return sorted(row.label for row in officers.refresh().rows("evenements").values())


def midnight_after(days: int) -> datetime:
    """The first moment of the day after so many days."""
    return datetime.combine(datetime.now(UTC).date() + timedelta(days=days + 1), time(0), UTC)


def test_a_centre_holds_the_open_stays_of_its_site_and_no_others(place: Outposts, a: Officers) -> None:
    other = place.tablet(place.site())
    post = place.tablet(place.site("border_post"))
    stay = place.share("KLK-1", a)
    foreign = place.share("DKR-1", other)
    for one in (a, other, post):
        one.refresh()
    assert (list(a.rows()), list(other.rows()), list(post.rows())) == ([stay], [foreign], [])


def test_a_border_post_gets_no_stay_that_names_it(place: Outposts, a: Officers) -> None:
    post = place.tablet(place.site("border_post"))
    a.open_stay("ROS-1", site=post.tablet.officer.site)
    place.meet(a, post)
    assert list(post.rows()) == []


def test_an_event_goes_to_where_it_lands_and_to_patrols_of_the_region_and_of_those_above(place: Outposts) -> None:
    beach = place.site("landing_place", "SN-TH-02")
    names = {
        "there": place.tablet(beach),
        "same region": place.tablet(place.site("mobile_patrol", "SN-TH")),
        "the whole coast": place.tablet(place.site("mobile_patrol", "SN")),
        "another region": place.tablet(place.site("mobile_patrol", "SN-DK")),
        "a region of a like name": place.tablet(place.site("mobile_patrol", "SN-T")),
        "no region": place.tablet(place.site("mobile_patrol")),
        "a centre of the region": place.tablet(place.site("centre", "SN-TH")),
    }
    name = land(names["there"], place, "Pirogue bleue", beach)
    seen = {key for key, one in names.items() if name in events(one)}
    assert seen == {"there", "same region", "the whole coast"}


def test_an_event_without_a_place_or_a_day_that_can_be_read_is_nobodys(place: Outposts) -> None:
    beach = place.site("landing_place")
    tablet = place.tablet(beach)
    tablet.fill("debarquer", nom="Sans jour", date="", site=beach)
    tablet.fill("debarquer", nom="Hier", date="hier", site=beach)
    tablet.fill("debarquer", nom="Sans lieu", date=datetime.now(UTC).date().isoformat(), site="")
    assert len(tablet.rows("evenements")) == 3
    place.meet(tablet)
    # Each was made here and never seen in the list: the server is asked, and calls it out of sight.
    assert events(tablet) == []


def test_an_event_leaves_the_tablets_at_the_midnight_after_its_thirtieth_day(place: Outposts) -> None:
    beach = place.site("landing_place")
    tablet = place.tablet(beach)
    land(tablet, place, "Pirogue rouge", beach)
    land(tablet, place, "Pirogue verte", beach, days_ago=1)
    assert events(tablet) == ["Pirogue rouge", "Pirogue verte"]
    with place.at(midnight_after(30) - timedelta(seconds=1)):
        assert events(tablet) == ["Pirogue rouge"]
        before = tablet.tablet.queue.entities.lists["evenements"].hash
    with place.at(midnight_after(30)):
        assert events(tablet) == []
    assert tablet.tablet.queue.entities.lists["evenements"].hash != before


def test_what_was_done_offline_on_a_row_that_left_still_counts(place: Outposts, a: Officers, b: Officers) -> None:
    stay = place.share("KLK-1", a, b)
    a.follow(stay, lit="9")
    b.follow(stay, site=place.site())
    place.meet(b)
    assert stay not in a.refresh().rows()
    place.meet(a)
    assert place.entity(stay).properties["lit"] == "9"


def test_a_tablet_that_moves_to_another_site_gets_the_rows_of_that_site(place: Outposts, a: Officers) -> None:
    place.share("KLK-1", a)
    other = place.tablet(place.site())
    stay = place.share("DKR-1", other)
    with place.looking() as session:
        site = session.scalars(select(Site).where(Site.code == other.tablet.officer.site)).one()
        device_of(session, a).site_id = site.id
    assert list(a.refresh().rows()) == [stay]


@pytest.mark.parametrize("state", ["drained", "lost"])
def test_a_tablet_that_is_out_of_use_loses_every_row_before_it_is_shut_out(
    place: Outposts, a: Officers, state: str
) -> None:
    stay = place.share("KLK-1", a)
    a.follow(stay, lit="2")
    with place.looking() as session:
        change_device_state(session, device_of(session, a), state, datetime.now(UTC))
    place.meet(a)
    assert (list(a.rows()), place.entity(stay).properties["lit"]) == ([], "2")


def test_an_unchanged_list_costs_no_download(place: Outposts, a: Officers) -> None:
    place.share("KLK-1", a)
    client = a.tablet.client
    asked, unchanged, received = client.requests, client.not_modified, client.bytes_received
    a.refresh()
    # The form list, every manifest and every form with a list are asked for, and nothing comes.
    assert client.requests - asked == client.not_modified - unchanged > 2
    assert client.bytes_received == received
