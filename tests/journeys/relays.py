"""A centre and a relay on loopback ports, and the link between them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server.accounts.users import add_user
from server.relay import forward, open_link
from sync.peer_client import Pace
from sync.registry import registry_digest
from sync.relaying.enrolment import enrol_relay, place_sites
from sync.sites import find_site
from tests.journeys.outposts import Outposts, outposts

PASSWORD = "un-baobab-au-poste"


@dataclass
class Chain:
    """Tablets → relay → centre. `KLK` is behind the relay, `DKR` is not."""

    centre: Outposts
    relay: Outposts

    def sync(self) -> dict[str, Any]:
        """A link comes, and lasts for as long as it is needed."""
        with self.relay.app.app_context():
            return forward(open_link(self.relay.settings, Pace()))

    def settle(self) -> None:
        """Links come until nobody has news, and everybody judges what came."""
        for _ in range(4):
            self.relay.settle()
            assert "problem" not in self.sync()
            self.centre.settle()


def digest(place: Outposts) -> str:
    with place.looking() as session:
        return registry_digest(session)


@contextmanager
def chain(folder: Path, template: Path, upstream_url: str = "") -> Iterator[Chain]:
    for name in ("centre", "relay"):
        (folder / name).mkdir()
        shutil.copy(template, folder / name / "teral.db")
    with outposts(folder / "centre", "") as centre:
        settings = enrol(centre)
        with outposts(folder / "relay", "", (), **{**settings, "upstream_url": upstream_url or centre.url}) as relay:
            yield Chain(centre, relay)


def enrol(centre: Outposts) -> dict[str, Any]:
    """Make the site KLK a relay of the centre; return the settings that it needs."""
    centre.site(code="KLK"), centre.site(code="DKR")
    with centre.looking() as session:
        site = find_site(session, "KLK")
        assert site is not None
        user = add_user(
            session, email="klk@relay.invalid", role="relay", site=site, password=PASSWORD, now=datetime.now(UTC)
        )
        relay = enrol_relay(session, site, user.actor_id, datetime.now(UTC))
        place_sites(session, relay, [site], datetime.now(UTC))
        number = relay.number
    return {"upstream_user": "klk@relay.invalid", "upstream_password": PASSWORD, "upstream_number": number}
