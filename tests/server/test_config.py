"""Settings come from TERAL_* and refuse what cannot work."""

from pathlib import Path

import pytest

from server.config import ConfigError, PeerLogin, Settings, describe_settings, find_peer_login


def test_variables_are_read_from_the_environment() -> None:
    settings = Settings.from_environment({"TERAL_PORT": "9000", "TERAL_HOST": "0.0.0.0"})
    assert (settings.port, settings.host) == (9000, "0.0.0.0")


def test_a_port_that_is_no_number_is_named() -> None:
    with pytest.raises(ConfigError, match="TERAL_PORT"):
        Settings.from_environment({"TERAL_PORT": "many"})


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://teral@db/teral", "postgresql+psycopg://teral@db/teral"),
        ("postgres://teral@db/teral", "postgresql+psycopg://teral@db/teral"),
        ("sqlite:////srv/teral.db", "sqlite:////srv/teral.db"),
    ],
)
def test_database_address_is_given_its_driver(given: str, used: str) -> None:
    assert Settings(database_url=given).sqlalchemy_url == used


def test_without_a_database_address_sqlite_lies_in_the_data_folder() -> None:
    assert Settings(data_dir="/srv/teral").sqlalchemy_url == "sqlite:////srv/teral/teral.db"


@pytest.mark.parametrize("secret", ["", "short", "a" * 40], ids=["missing", "short", "one letter"])
def test_a_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(ConfigError, match="TERAL_SECRET_KEY"):
        Settings(secret_key=secret).check_secrets()


def test_the_account_on_another_server_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "peers.toml"
    path.write_text(
        '[ministry]\nusername = "a@teral.test"\npassword = "of the file"\naddress = "https://a.test/"\n'
        '[half]\nusername = "b"\npassword = "c"\n'
    )
    settings = Settings(peers=str(path))
    own = {"USERNAME": "c@teral.test", "PASSWORD": "of the environment", "ADDRESS": "https://c.test"}
    environment = {f"TERAL_PEER_MINISTRY_{name}": value for name, value in own.items()}
    in_file = PeerLogin("a@teral.test", "of the file", "https://a.test")
    assert find_peer_login(settings, "ministry", {}) == in_file
    assert find_peer_login(settings, "ministry", environment) == PeerLogin(*own.values())
    assert [find_peer_login(settings, name, {}) for name in ("half", "unknown")] == [None, None]
    assert find_peer_login(Settings(), "ministry", {}) is None


def test_a_file_of_accounts_that_is_not_there_is_told_without_its_content() -> None:
    with pytest.raises(ConfigError, match="TERAL_PEERS names cannot be read"):
        find_peer_login(Settings(peers="/nowhere/peers.toml"), "ministry", {})


def test_every_setting_is_described() -> None:
    assert all(text.endswith(".") for _, _, text in describe_settings())


@pytest.mark.parametrize("name", ["secret_key", "database_url", "attachment_url", "spark_settings"])
def test_secrets_are_told_only_as_set_or_not(name: str) -> None:
    told = Settings(**{name: "sftp://teral:hidden-value@files.test"}).shown_values()  # type: ignore[arg-type]
    assert told[f"TERAL_{name.upper()}"] == "(set)"
    assert "hidden-value" not in str(told)
