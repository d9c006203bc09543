import io
from datetime import UTC, datetime
from random import Random

from PIL import Image

from server.tablets.pictures import make_audit, make_png, make_wav


def test_picture_opens() -> None:
    with Image.open(io.BytesIO(make_png(Random(1)))) as image:
        image.verify()
        assert image.size == (64, 64)


def test_sound_says_its_own_length() -> None:
    sound = make_wav(Random(1))
    assert (sound[:4], int.from_bytes(sound[4:8], "little")) == (b"RIFF", len(sound) - 8)


def test_audit_tells_each_question_in_milliseconds() -> None:
    lines = make_audit(["/data/a", "/data/b"], datetime(2026, 3, 2, tzinfo=UTC), 10).decode().splitlines()
    assert lines == [
        "event,node,start,end",
        "form start,,1772409600000,",
        "question,/data/a,1772409600000,1772409605000",
        "question,/data/b,1772409605000,1772409610000",
        "form exit,,1772409610000,",
    ]
