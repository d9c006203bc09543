"""Short forms of names that an administrator adds to a model. What comes out is another model version."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sync.linkage.errors import LinkageRefused
from sync.linkage.model import LinkModel
from sync.linkage.names import NameKeys, fold, sound

Names = tuple[str, str]
_SHORTEST = 2


def parse_pet_forms(text: str) -> list[Names]:
    """Short form and full name of each line, written as in `Fatou = Fatoumata`, folded; LinkageRefused names the line.

    Empty lines are none.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise LinkageRefused("link_names_empty")
    return [_parse_line(number, line) for number, line in lines]


def add_pet_forms(model: LinkModel, names: Sequence[Names]) -> LinkModel:
    """The same model in which each short form stands for its full name, in every spelling of either.

    Shares of names stay as they were learnt until a model is trained again. LinkageRefused where a line adds nothing,
    contradicts what stands, or would bring the families of a family name together.
    """
    aliases = dict(model.aliases)
    for short, full in names:
        # The full name may be a pet form itself, and the short one the full name of others.
        full = next((whole for known, whole in aliases.items() if sound(known) == sound(full)), full)
        _check(model, aliases, short, full)
        aliases = {known: full if sound(whole) == sound(short) else whole for known, whole in aliases.items()}
        aliases[short] = full
    return replace(model, aliases=aliases)


def list_pet_forms(model: LinkModel) -> Iterator[tuple[str, list[Names]]]:
    """The full names by letter, each with its short forms and how many persons taught those that were learnt."""
    shorts: dict[str, list[str]] = {}
    for short, full in sorted(model.aliases.items()):
        shorts.setdefault(full, []).append(short)
    for full in sorted(shorts):
        yield full, [(short, str(model.learnt.get(short, ""))) for short in shorts[full]]


def _parse_line(number: int, line: str) -> Names:
    short, _, full = (fold(part) for part in line.partition("="))
    # A letter is no name: it would stand for whoever is written with an initial.
    if len(short) != 1 or len(full) != 1 or min(len(short[0]), len(full[0])) < _SHORTEST:
        raise LinkageRefused("link_names_line", line=number)
    return short[0], full[0]


def _check(model: LinkModel, aliases: dict[str, str], short: str, full: str) -> None:
    known = next((whole for one, whole in aliases.items() if sound(one) == sound(short)), None)
    if known is not None:
        raise LinkageRefused("link_names_taken", short=short.capitalize(), full=known.capitalize())
    keys = NameKeys(aliases)
    if keys.find_key(short) == keys.find_key(full):
        raise LinkageRefused("link_names_one", short=short.capitalize(), full=full.capitalize())
    as_family, as_given = model.name_order.get(sound(short), (0, 0))
    if as_family > as_given:
        raise LinkageRefused("link_names_family", short=short.capitalize())
