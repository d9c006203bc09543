"""One JavaRosa process for all tests that ask it."""

from collections.abc import Iterator

import pytest

from tests.oracle.client import Oracle, missing_tools


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    reason = missing_tools()
    if reason:
        pytest.skip(reason)
    javarosa = Oracle()
    yield javarosa
    javarosa.close()
