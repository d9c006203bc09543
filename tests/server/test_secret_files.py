import stat

from server.config import Settings
from server.secret_files import make_secret_key, read_demo, with_secret_key, write_demo
from tests.conftest import SECRET


def test_generated_key_is_strong_private_and_kept(settings: Settings) -> None:
    bare = Settings(data_dir=settings.data_dir)
    made = make_secret_key(bare)
    made.check_secrets()
    [path] = (settings.data_path / "secrets").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert make_secret_key(bare).secret_key == with_secret_key(bare).secret_key == made.secret_key


def test_key_of_the_environment_wins_and_none_is_made(settings: Settings) -> None:
    assert make_secret_key(settings).secret_key == SECRET
    assert not (settings.data_path / "secrets").exists()


def test_without_a_key_nothing_is_invented(settings: Settings) -> None:
    assert with_secret_key(Settings(data_dir=settings.data_dir)).secret_key == ""


def test_demo_secrets_are_read_as_they_were_written_by_nobody_else(settings: Settings) -> None:
    assert read_demo(settings) == {"users": [], "tablets": []}
    write_demo(settings, {"users": [{"email": "é"}], "tablets": []})
    assert read_demo(settings)["users"] == [{"email": "é"}]
    assert stat.S_IMODE((settings.data_path / "demo.json").stat().st_mode) == 0o600
