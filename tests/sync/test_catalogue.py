"""The number that tells processes that their caches are out of date."""

from sqlalchemy.orm import Session

from sync.catalogue import bump_catalogue, read_generation


def test_every_bump_changes_the_number(session: Session) -> None:
    first = read_generation(session)
    bump_catalogue(session)
    second = read_generation(session)
    bump_catalogue(session)
    assert first < second < read_generation(session)
