"""The Flask extensions, and the one place where a request's transaction ends."""

from flask import Flask, Response, current_app, request
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect

from sync.attachments import AttachmentStore
from sync.db import Base, begin_write, prepare_sqlite

db = SQLAlchemy(model_class=Base)
csrf = CSRFProtect()

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def init_extensions(app: Flask) -> None:
    # Private from the start: database, files and secrets lie here.
    app.extensions["teral_settings"].data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine)
    app.extensions["teral_attachments"] = AttachmentStore(app.extensions["teral_settings"].attachments)
    app.before_request(_open_transaction)
    app.after_request(_commit)
    csrf.init_app(app)


def attachment_store() -> AttachmentStore:
    """The store of the application that runs."""
    store: AttachmentStore = current_app.extensions["teral_attachments"]
    return store


def _open_transaction() -> None:
    """Let a writing request take SQLite's write lock before its first read (sync.db.begin_write)."""
    if writes_from_the_start():
        begin_write(db.session())


def writes_from_the_start() -> bool:
    """Unsafe methods write, but for views that say otherwise (permissions.reads_first) and tablets' own path."""
    if request.method in _READING or request.blueprint == "openrosa":
        return False
    view = current_app.view_functions.get(request.endpoint or "")
    return view is not None and not getattr(view, "reads_first", False)


def _commit(response: Response) -> Response:
    """Commit before the answer leaves: what we acknowledge is on disk. An exception rolled back already."""
    db.session.commit()
    return response
