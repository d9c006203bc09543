"""A kept list is served as long as its view is the same, and no more memory is used than was given."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from server.openrosa.list_cache import ListCache
from sync.entity_lists import ListView


def view(code: str = "KLK", generation: int = 1, today: date | None = None) -> ListView:
    return ListView("dossiers", ("etat",), (code,), ((code, generation),), today)


class Renderer:
    def __init__(self, size: int = 1) -> None:
        self.made: list[ListView] = []
        self.size = size

    def __call__(self, view: ListView) -> bytes:
        self.made.append(view)
        return b"x" * self.size


def test_the_same_view_is_made_once() -> None:
    cache, render = ListCache(), Renderer()
    assert cache.get(view(), render) is cache.get(view(), render)
    assert len(render.made) == 1


def test_a_change_at_the_site_or_a_new_day_makes_it_anew() -> None:
    cache, render = ListCache(), Renderer()
    for one in (view(), view(generation=2), view(generation=2, today=date(2026, 3, 2))):
        cache.get(one, render)
    assert len(render.made) == 3


def test_the_least_wanted_list_makes_room() -> None:
    cache, render = ListCache(most_bytes=20), Renderer(size=10)
    for code in ("A", "B", "A", "C", "A", "B"):
        cache.get(view(code), render)
    assert [one.codes[0] for one in render.made] == ["A", "B", "C", "B"]


def test_of_those_who_ask_at_once_one_makes_it_for_all() -> None:
    cache, render, asked = ListCache(), Renderer(), threading.Barrier(4)

    def slowly(one: ListView) -> bytes:
        threading.Event().wait(0.05)  # long enough for the others to find nothing ready
        return render(one)

    def ask(_number: int) -> bytes:
        asked.wait(10)
        return cache.get(view(), slowly).body

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [b"x"] * 4
    assert len(render.made) == 1
