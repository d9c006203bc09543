"""Committing together or each by itself: the same records by the same threads, without HTTP, in one process.

PostgreSQL groups commits by itself, so there is only one way to measure there.
"""

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy.orm import Session

from server import create_app
from server.database import migrate
from server.extensions import db
from server.openrosa.committer import GroupCommitter, PlainCommitter
from sync.intake import IncomingRecord, Sender, Upload, receive_submission
from tests.live import demo_settings

THREADS = 8


def run(folder: Path, database_url: str, _floor_url: str, seconds: float, _rate: float) -> None:
    app = create_app(demo_settings(folder, database_url))
    with app.app_context():
        migrate(db.engine)
        alone = _measure(PlainCommitter(db.engine), seconds)
        print(f"{'commits: each by itself':28}{alone:8.0f}/s   {THREADS} threads of one process")
        if not database_url:
            together = _measure(GroupCommitter(db.engine), seconds)
            print(f"{'commits: those who wait':28}{together:8.0f}/s   ({together / alone:.1f} × each by itself)")
        db.engine.dispose()


def _measure(committer: GroupCommitter | PlainCommitter, seconds: float) -> float:
    """Records committed a second."""
    stop = threading.Event()

    def work(_number: int) -> int:
        count = 0
        while not stop.is_set():
            committer.run(_receive_one)
            count += 1
        return count

    with ThreadPoolExecutor(THREADS) as pool:
        begun = time.monotonic()
        counts = pool.map(work, range(THREADS))
        time.sleep(seconds)
        stop.set()
        return sum(counts) / (time.monotonic() - begun)


def _receive_one(session: Session) -> None:
    name = f"uuid:{uuid4()}"
    xml = f'<data id="f" version="1">{"<a>b</a>" * 100}<meta><instanceID>{name}</instanceID></meta></data>'.encode()
    upload = Upload(xml, hashlib.sha256(xml).hexdigest())
    receive_submission(session, IncomingRecord("f", "1", name), upload, Sender(), datetime.now(UTC))
