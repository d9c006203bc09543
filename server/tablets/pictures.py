"""Small files as a tablet makes them: a photograph, a sound, an audit log. Nothing is in them."""

import struct
import zlib
from datetime import datetime, timedelta
from random import Random

_PNG = b"\x89PNG\r\n\x1a\n"


def make_png(rng: Random, side: int = 64) -> bytes:
    """A picture of coloured stripes, different each time."""
    rows = b"".join(b"\0" + rng.randbytes(3) * side for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return _PNG + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def make_wav(rng: Random, samples: int = 800) -> bytes:
    """A tenth of a second of soft noise."""
    sound = bytes(128 + rng.randrange(-3, 4) for _ in range(samples))
    header = struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    chunks = b"fmt " + header + b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def make_audit(paths: list[str], started_at: datetime, seconds: float) -> bytes:
    """Collect's audit log: which question was on the screen from when to when, in milliseconds."""
    lines = ["event,node,start,end", f"form start,,{_ms(started_at)},"]
    step = timedelta(seconds=seconds / max(1, len(paths)))
    for number, path in enumerate(paths):
        shown_at = started_at + number * step
        lines.append(f"question,{path},{_ms(shown_at)},{_ms(shown_at + step)}")
    lines.append(f"form exit,,{_ms(started_at + timedelta(seconds=seconds))},")
    return "\n".join(lines).encode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
