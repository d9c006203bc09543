"""House rules that a linter does not know."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("forms", "sync", "server")
BANNED = {"utils.py", "helpers.py", "common.py", "misc.py", "base.py", "managers.py", "handlers.py"}
SOURCES = [
    path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) if "node_modules" not in path.parts
]
MODULES = [path for path in SOURCES if "migrations" not in path.parts]
# A module, or a folder of them, that is proven as a whole from outside, and where: its parts alone promise nothing.
COVERED = {
    "forms/node.py": "tests/forms/test_compiled.py",
    "forms/tables.py": "tests/forms/test_library.py",
    "forms/xpath/": "tests/forms/xpath/test_functions.py",  # expression by expression, as JavaRosa answers
    "sync/models/": "tests/server/test_database.py",
    "sync/relay.py": "tests/journeys/test_relay.py",
    "sync/relaying/": "tests/journeys/test_relay.py",
    "sync/link_around.py": "tests/sync/test_link_fold.py",
    "sync/link_placing.py": "tests/sync/test_link_fold.py",
    "sync/link_questions.py": "tests/sync/test_link_fold.py",
    "sync/linkage/": "tests/sync/linkage/test_decision.py",
    "sync/central/": "tests/sync/central/test_run.py",
    "sync/senders.py": "tests/server/rest/test_submissions.py",
    "sync/sending.py": "tests/server/rest/test_submissions.py",
    "server/accounts/models.py": "tests/server/test_database.py",
    "server/cli/__main__.py": "tests/server/cli/test_run.py",
    "server/cli/database.py": "tests/server/test_database.py",
    "server/cli/link.py": "tests/sync/linkage/test_decision.py",
    "server/cli/people.py": "tests/server/cli/test_submissions.py",
    "server/cli/registry.py": "tests/server/cli/test_submissions.py",
    "server/cli/status.py": "tests/server/cli/test_submissions.py",
    "server/rest/": "tests/server/rest/test_wall.py",
    "server/web/reading.py": "tests/server/web/test_entities.py",
}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [_name(path) for path in SOURCES if path.name in BANNED] == []


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_every_module_says_what_is_here(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", [one for one in MODULES if one.name != "__init__.py"], ids=_name)
def test_every_module_has_its_test_file(path: Path) -> None:
    own = ROOT / "tests" / path.relative_to(ROOT).parent / f"test_{path.stem}.py"
    elsewhere = [test for covered, test in COVERED.items() if _name(path).startswith(covered)]
    assert own.exists() or elsewhere, f"write {_name(own)}"


def test_what_is_covered_elsewhere_is_there() -> None:
    for covered, test in COVERED.items():
        assert (ROOT / covered).exists(), f"{covered} is gone: take it out"
        assert (ROOT / test).exists(), covered


def test_every_model_is_imported_with_its_package() -> None:
    import sync.models

    named = {
        node.name
        for path in (ROOT / "sync/models").glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    }
    assert named <= set(sync.models.__all__)


def test_a_process_starts_without_what_few_requests_need() -> None:
    heavy = "pyarrow", "numpy", "reportlab", "PIL", "pyxform", "openpyxl", "xlsxwriter", "alembic", "pyodk", "pydantic"
    command = f"import sys, server; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_the_configuration_reads_the_environment() -> None:
    readers = {_name(path) for path in MODULES if "os.environ" in path.read_text() or "getenv(" in path.read_text()}
    allowed = {"server/config.py", *(name for name in readers if name.startswith("server/cli/"))}
    assert readers <= allowed


@pytest.mark.parametrize("package", ["forms", "sync"])
def test_public_functions_have_a_docstring(package: str) -> None:
    bare = [
        f"{_name(path)}: {node.name}"
        for path in MODULES
        if path.is_relative_to(ROOT / package)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name != "N_"
        if not ast.get_docstring(node)
    ]
    assert bare == []


def test_no_function_is_longer_than_fifty_lines() -> None:
    long = [
        f"{_name(path)}: {node.name}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 50
    ]
    assert long == []


def test_no_exception_is_swallowed() -> None:
    swallowed = [
        f"{_name(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and all(isinstance(step, ast.Pass) for step in node.body)
    ]
    assert swallowed == []


def test_every_command_is_documented() -> None:
    import click

    from server.cli import main

    def bare(group: click.Group, path: str) -> list[str]:
        found = []
        for name, command in group.commands.items():
            found += [] if command.help else [f"{path} {name}"]
            found += bare(command, f"{path} {name}") if isinstance(command, click.Group) else []
        return found

    assert bare(main, "teral") == []


def test_every_scheduled_job_is_documented() -> None:
    from server.jobs import JOBS
    from server.web.labels import LABELS

    readme = (ROOT / "README.md").read_text()
    for job in JOBS:
        assert job.run.__doc__, job.name
        assert job.name in LABELS["job"]
        assert f"`{job.name}`" in readme


def test_every_command_stands_in_the_readme() -> None:
    from server.cli import main

    readme = (ROOT / "README.md").read_text()
    assert [name for name in main.commands if f"teral {name}" not in readme and f"`{name}`" not in readme] == []
