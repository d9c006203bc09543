"""What every command shares: the application, its transaction, and JSON that is JSON only."""

import functools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import click

from forms.errors import FormsError
from server.config import ConfigError
from server.words import choose_language, translator


def with_app(command: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command inside the application; commit when it returns, roll back when it raises.

    A database that is not there, or not of this version, ends in one line that says what to do.
    """
    return _inside(command, migrated=True)


def with_empty_app(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a command that makes the database itself."""
    return _inside(command, migrated=False)


def _inside(command: Callable[..., Any], *, migrated: bool) -> Callable[..., Any]:
    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from server import create_app
        from server.config import Settings
        from server.extensions import db
        from server.secret_files import with_secret_key
        from server.serve import check_migrated

        try:
            app = create_app(with_secret_key(Settings.from_environment()))
            if migrated:
                check_migrated(app)
        except ConfigError as error:
            raise click.ClickException(str(error)) from error
        with app.app_context():
            result = command(*args, **kwargs)
            db.session.commit()
            return result

    return run


def command_line_language() -> str:
    return choose_language(os.environ.get("LANG", ""))


def word_refusal(refused: FormsError) -> str:
    """The refusal in the language of the command line."""
    return refused.word(translator(command_line_language()))


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """A folder that is not there, or a disk or key that is full or cannot be written, ends in one line."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{path} was not written: {error.strerror}.") from error


@contextmanager
def writing_whole(path: Path) -> Iterator[IO[str]]:
    """A text file that takes the place of an older one when it is whole, and not before; a pipe is written as it comes.

    Whatever breaks off half-way leaves what was there.
    """
    with writing(path):
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8", newline="") as file:
                yield file
            return
        target = path.resolve()
        with TemporaryDirectory(prefix=".teral-", dir=target.parent) as folder:
            whole = Path(folder) / target.name
            with whole.open("w", encoding="utf-8", newline="") as file:
                yield file
            whole.replace(target)


def check_writable(*paths: Path | None) -> None:
    """That files can be written there, before anybody waits for what they are to hold."""
    for path in filter(None, paths):
        with writing(path):
            if not path.exists() or path.is_file():
                TemporaryDirectory(prefix=".teral-", dir=path.resolve().parent).cleanup()


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=str))
