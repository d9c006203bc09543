import ast
import importlib
import pkgutil
import re
from pathlib import Path

import forms
from forms.errors import FormsError
from forms.messages import MESSAGES

SOURCES = sorted(Path(forms.__file__).parent.rglob("*.py"))
RAISERS = {"FormsError", "FormProblem", "Finding", "BadValueError", "_known"}


def raised_codes() -> set[str]:
    """Every code that stands as a literal where something is refused, found or named a problem."""
    calls = (node for path in SOURCES for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return {code for call in calls for code in code_of(call)}


def code_of(call: ast.Call) -> list[str]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    place = 3 if name == "Finding" else 0
    if not (name in RAISERS or name.endswith("Refused")) or len(call.args) <= place:
        return []
    argument = call.args[place]
    return [argument.value] if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else []


def worded_codes() -> set[str]:
    """The catalogue, and what an error class words itself."""
    for module in pkgutil.walk_packages(forms.__path__, "forms."):
        importlib.import_module(module.name)
    return set(MESSAGES).union(*(one.messages for one in FormsError.__subclasses__()))


def test_every_code_has_its_sentence() -> None:
    codes = raised_codes()
    assert len(codes) > 60
    assert codes <= worded_codes()


def test_sentences_end_like_sentences() -> None:
    assert [text for text in MESSAGES.values() if not re.search(r"[.?)s]$", text)] == []


def test_parameters_are_named() -> None:
    assert [text for text in MESSAGES.values() if re.search(r"%[^(%]", text)] == []
