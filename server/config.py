"""Settings, twelve-factor: every TERAL_* variable with its meaning, default and check. Only this module reads them."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

MIN_SECRET_LENGTH = 32


class ConfigError(Exception):
    """A setting that the program cannot start with; the message is one line for an administrator."""


def _setting(default: Any, help_text: str, secret: bool = False) -> Any:
    return field(default=default, metadata={"help": help_text, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """Typed settings. Field `database_url` is TERAL_DATABASE_URL, and so on."""

    database_url: str = _setting("", "Database address; empty means SQLite in the data folder.", secret=True)
    data_dir: str = _setting("var", "Folder for the embedded database, attachments and generated secrets.")
    # Like that of the database, an address may hold the password of what it leads to.
    attachment_url: str = _setting(
        "", "fsspec address of the attachment store; empty means a folder in the data folder.", secret=True
    )
    host: str = _setting("127.0.0.1", "Address that the web server listens on; 0.0.0.0 lets tablets on the network in.")
    port: int = _setting(8383, "Port that the web server listens on.")
    public_url: str = _setting("", "Address that tablets and browsers use; it is what the QR codes hold.")
    secret_key: str = _setting(
        "", "Signs sessions and encrypts tablet credentials; at least 32 characters.", secret=True
    )
    trusted_proxies: str = _setting(
        "", "Comma-separated addresses of TLS proxies whose X-Forwarded-* headers are believed."
    )
    web_workers: int = _setting(2, "Web processes.")
    web_threads: int = _setting(8, "Requests that each web process works on at a time; more may wait for slow clients.")
    slow_grace_s: int = _setting(60, "Seconds of silence that a client may keep, and of slowness it may begin with.")
    slow_rate: int = _setting(1024, "Bytes a second that a client must have sent after that time, on average.")
    token_grace_days: int = _setting(60, "Days for which an expired or rotated tablet token may still send records.")
    session_minutes: int = _setting(30, "Minutes without activity after which a web session ends.")
    max_body_mb: int = _setting(100, "Largest request that is accepted, in megabytes.")
    kept_exports_mb: int = _setting(
        10_240,
        "Most megabytes of exports that are kept for a day, for who lost the line to take up again; 0 keeps none.",
    )
    decryption_keys: str = _setting(
        "", "Private keys for encrypted records: a folder of .pem files, or PEM text itself.", secret=True
    )
    decryption_passphrase: str = _setting("", "Passphrase of those keys, where they have one.", secret=True)
    upstream_url: str = _setting("", "On a relay: address of its centre, such as https://teral.example.")
    upstream_user: str = _setting("", "On a relay: its account at the centre.")
    upstream_password: str = _setting("", "On a relay: the password of that account.", secret=True)
    upstream_number: int = _setting(0, "On a relay: its number, from 1 to 999, as the centre gave it.")
    upstream_minutes: int = _setting(10, "On a relay: minutes between two tries to reach the centre.")
    upstream_kb: int = _setting(0, "On a relay: most kilobytes a second that the link may be used for; 0 is no limit.")
    upstream_key: str = _setting("", "On a relay: the centre's public key, for bundles on a USB key.")
    bundle_key: str = _setting("", "File with this server's own key for bundles; `teral relay key` makes it.")
    peers: str = _setting(
        "", "File (TOML) with the accounts on other servers: one table per name, with username, password and address."
    )
    link_engine: str = _setting(
        "duckdb",
        "What weighs the whole registry, at night and at a word: duckdb, or spark where a machine is too small.",
    )
    spark_master: str = _setting("local[*]", "Spark that such a run uses, such as spark://host:7077.")
    spark_folder: str = _setting(
        "", "Folder for such runs that all Spark workers see; empty means the data folder. It holds names meanwhile."
    )
    spark_settings: str = _setting(
        "", "Spark's own settings for such runs: spark.name=value, separated by commas.", secret=True
    )
    demo: int = _setting(0, "1 lets `teral serve` run on demo data; `teral run` sets it.")
    log_level: str = _setting("INFO", "Least grade of log lines.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read TERAL_*; a value that is not of its type raises ConfigError naming the variable."""
        return cls(
            **{f.name: _parse(f.name, f.type, environment) for f in fields(cls) if _variable(f.name) in environment}
        )

    def to_environment(self) -> dict[str, str]:
        """The environment of another process of ours: it reads the same settings, whatever stands in this one's."""
        return {**os.environ, **{_variable(one.name): str(getattr(self, one.name)) for one in fields(self)}}

    @property
    def data_path(self) -> Path:
        return Path(self.data_dir).absolute()

    @property
    def sqlalchemy_url(self) -> str:
        """The address as SQLAlchemy wants it: psycopg 3 for PostgreSQL, an absolute file for SQLite."""
        if not self.database_url:
            return f"sqlite:///{self.data_path / 'teral.db'}"
        for prefix in ("postgresql://", "postgres://"):
            if self.database_url.startswith(prefix):
                return "postgresql+psycopg://" + self.database_url.removeprefix(prefix)
        return self.database_url

    @property
    def attachments(self) -> str:
        return self.attachment_url or str(self.data_path / "attachments")

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def flask_config(self) -> dict[str, Any]:
        return {
            "SECRET_KEY": self.secret_key,
            "SQLALCHEMY_DATABASE_URI": self.sqlalchemy_url,
            "SQLALCHEMY_ENGINE_OPTIONS": {
                # One each for tablets' reads, for pages, and for records on their way in; PostgreSQL allows 100 in all.
                "pool_size": self.web_threads,
                "max_overflow": 2 * self.web_threads,
                # What fails is told without the values that it was about: they are of people.
                "hide_parameters": True,
            },
            "MAX_CONTENT_LENGTH": self.max_body_mb * 1024 * 1024,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_SECURE": self.base_url.startswith("https://"),
            "BABEL_DEFAULT_LOCALE": "fr",
        }

    def shown_values(self) -> dict[str, str]:
        """Every variable with its value in force, secrets told only as set or not."""
        return {_variable(f.name): _shown(getattr(self, f.name), f.metadata["secret"]) for f in fields(self)}

    def check_secrets(self) -> None:
        """Refuse to start with a missing or weak secret."""
        if len(self.secret_key) < MIN_SECRET_LENGTH or len(set(self.secret_key)) < 8:
            raise ConfigError(
                f"TERAL_SECRET_KEY is missing or weak: set at least {MIN_SECRET_LENGTH} random characters "
                "(for example: openssl rand -base64 48)."
            )


@dataclass(frozen=True, slots=True)
class PeerLogin:
    """An account on another server, and the one address that it is for: on a page anybody could name another."""

    username: str
    password: str
    address: str


def find_peer_login(settings: Settings, name: str, environment: Mapping[str, str] = os.environ) -> PeerLogin | None:
    """The account of this name: TERAL_PEER_<NAME>_USERNAME, _PASSWORD and _ADDRESS, else the file of peers.

    Read anew each time, so that a changed password needs no restart.
    """
    prefix, names = f"TERAL_PEER_{name.upper()}", ("username", "password", "address")
    told: Mapping[str, Any] = {one: environment.get(f"{prefix}_{one.upper()}") for one in names}
    if not any(told.values()) and settings.peers:
        told = _read_peers(Path(settings.peers)).get(name, {})
    username, password, address = (str(told.get(one) or "") for one in names)
    return PeerLogin(username, password, address.rstrip("/")) if username and password and address else None


def _read_peers(path: Path) -> dict[str, dict[str, Any]]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The file that TERAL_PEERS names cannot be read ({type(error).__name__}).") from error
    return {name: table for name, table in tables.items() if isinstance(table, dict)}


def _variable(name: str) -> str:
    return f"TERAL_{name.upper()}"


def _shown(value: object, secret: bool) -> str:
    return ("(set)" if value else "(not set)") if secret else str(value)


def _parse(name: str, kind: Any, environment: Mapping[str, str]) -> Any:
    raw = environment[_variable(name)]
    if kind is not int:
        return raw
    try:
        return int(raw)
    except ValueError as error:
        raise ConfigError(f"{_variable(name)} must be a whole number.") from error


def describe_settings() -> list[tuple[str, str, str]]:
    """(variable, default, meaning) of every setting, for `teral config` and the README."""
    return [(_variable(f.name), str(f.default), f.metadata["help"]) for f in fields(Settings)]
