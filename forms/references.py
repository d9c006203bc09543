"""Where an XForm's references point: paths of the primary instance, without prefixes, predicates or relative steps."""

import re

_PREDICATE = re.compile(r"\[[^\[\]]*\]")
_PREFIX = re.compile(r"(^|/)(@?)[^/:@]+:")


def absolute_path(reference: str, base: str) -> str:
    """The path that a ref or nodeset means inside `base`: `../b` in /data/a is /data/b."""
    plain = plain_path(reference)
    if plain.startswith("/"):
        return plain
    steps = base.split("/")
    for step in plain.split("/"):
        if step == "..":
            steps = steps[:-1]
        elif step not in {"", "."}:
            steps.append(step)
    return "/".join(steps)


def plain_path(reference: str) -> str:
    """The reference without predicates, namespace prefixes and a leading current()."""
    plain = reference.strip()
    while (shorter := _PREDICATE.sub("", plain)) != plain:
        plain = shorter
    plain = plain.removeprefix("current()/")
    return "/".join(_PREFIX.sub(r"\1\2", step.strip()) for step in plain.split("/"))


def parent_path(path: str) -> str:
    """The path of the container."""
    return path.rpartition("/")[0]


def ancestor_paths(path: str) -> list[str]:
    """All containers, nearest first, the root element last."""
    found = []
    while (path := parent_path(path)) != "":
        found.append(path)
    return found
