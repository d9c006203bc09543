"""QR codes: a text drawn as a picture, to be scanned from a screen in the sun."""

import io

import segno


def draw_qr(text: str, kind: str = "png", scale: int = 6) -> bytes:
    target = io.BytesIO()
    # Error correction L as ODK Collect's own codes: fewer, larger modules scan better.
    segno.make(text, error="l", micro=False).save(target, kind=kind, scale=scale)
    return target.getvalue()
