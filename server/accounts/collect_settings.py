"""What a tablet's QR code says to ODK Collect: settings, packed as Collect reads them."""

import base64
import json
import zlib
from typing import Any
from urllib.parse import quote

from server.config import Settings
from server.qr import draw_qr
from sync.models import Device


def server_url(settings: Settings, token: str) -> str:
    """The address that is also the key, as ODK Central makes it. There is one project, number 1."""
    return f"{settings.base_url}/v1/key/{token}/projects/1"


def draft_url(settings: Settings, draft_token: str, form_id: str) -> str:
    """The address of a draft's test project. A form id may be any text, `/` and `..` included: it is one segment."""
    return f"{settings.base_url}/v1/test/{draft_token}/projects/1/forms/{quote(form_id, safe='')}/draft"


def collect_settings(settings: Settings, device: Device, token: str) -> dict[str, Any]:
    """Settings for field work: everything by itself, nothing lost by a wrong tap, no data to third parties.

    Collect's own defaults are manual updates, no automatic sending, full-size images and analytics on.
    """
    return {
        "general": {
            "server_url": server_url(settings, token),
            "form_update_mode": "match_exactly",
            "periodic_form_updates_check": "every_fifteen_minutes",
            "autosend": "wifi_and_cellular",
            "image_size": "medium",
            "app_language": device.language,
            "analytics": False,
            "metadata_username": device.name,
        },
        "admin": {"delete_saved": False, "change_server": False, "delete_after_send": False},
        "project": {"name": f"Teral {device.site.code}", "icon": "🤝", "color": "#1d6f5c"},
    }


def draft_settings(settings: Settings, title: str, url: str) -> dict[str, Any]:
    """Settings for testing a draft: a project of its own, so that test records never mix with real ones."""
    general = {"server_url": url, "form_update_mode": "match_exactly", "autosend": "wifi_and_cellular"}
    return {"general": general, "admin": {}, "project": {"name": title, "icon": "📝"}}


def pack_settings(collect: dict[str, Any]) -> str:
    """The QR's text: base64 of zlib (with header) of UTF-8 JSON."""
    plain = json.dumps(collect, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(plain, 9)).decode()


def render_qr_png(collect: dict[str, Any], scale: int = 6) -> bytes:
    return draw_qr(pack_settings(collect), "png", scale)


def render_qr_svg(collect: dict[str, Any], scale: int = 6) -> bytes:
    return draw_qr(pack_settings(collect), "svg", scale)
