"""Where a run over the whole registry leaves its files meanwhile, and who takes them away if it is killed."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from server.config import Settings

_PREFIX, _IN_USE = "link-run-", "in-use"


@contextmanager
def open_run_folder(settings: Settings) -> Iterator[Path]:
    """A folder that only the server's account can read, and that is gone afterwards: it holds names."""
    sweep_run_folders(settings)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_find_parent(settings)) as name:
        folder = Path(name)
        # The system lets go of the lock with the process, however that ends.
        with (folder / _IN_USE).open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield folder


def sweep_run_folders(settings: Settings) -> None:
    """Take away what killed runs have left behind, and nothing of one that goes on."""
    for file in _find_parent(settings).glob(f"{_PREFIX}*/{_IN_USE}"):
        # Another sweeper may be quicker.
        with suppress(FileNotFoundError, BlockingIOError), file.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(file.parent)


def _find_parent(settings: Settings) -> Path:
    return Path(settings.spark_folder or settings.data_path)
