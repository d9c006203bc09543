"""Requests as ODK Collect makes them: its headers, its query, its multipart names."""

import io
from xml.etree import ElementTree

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

AGENT = "org.odk.collect.android/v2026.3.0 Dalvik/2.1.0 (Linux; U; Android 13; SM-T220)"
HEADERS = {"User-Agent": AGENT, "X-OpenRosa-Version": "1.0", "Date": "Mon, 02 Mar 2026 03:30:00 GMT"}
DEVICE = "collect:abcdef0123456789"
LIST = "{http://openrosa.org/xforms/xformsList}"
MANIFEST = "{http://openrosa.org/xforms/xformsManifest}"
Files = dict[str, bytes]


class Tablet:
    """One Collect project: the address of its server and the HTTP client under it."""

    def __init__(self, client: FlaskClient, path: str, device: str = DEVICE) -> None:
        self.client, self.path, self.device = client, path, device

    def get(self, url: str, **headers: str) -> TestResponse:
        target = url if "://" in url else f"{self.path}{url}"
        return self.client.get(target, query_string={"deviceID": self.device}, headers=HEADERS | headers)

    def head(self) -> TestResponse:
        return self.client.head(f"{self.path}/submission", query_string={"deviceID": self.device}, headers=HEADERS)

    def send(self, xml: bytes, files: Files | None = None, *, incomplete: bool = False, **headers: str) -> TestResponse:
        data: dict[str, object] = {"xml_submission_file": (io.BytesIO(xml), "passage_2026.xml", "text/xml")}
        data |= {name: (io.BytesIO(body), name, "image/jpeg") for name, body in (files or {}).items()}
        if incomplete:
            data["*isIncomplete*"] = "yes"
        return self.client.post(
            f"{self.path}/submission", query_string={"deviceID": self.device}, data=data, headers=HEADERS | headers
        )

    def list_forms(self) -> list[dict[str, str]]:
        return entries(self.get("/formList"), LIST)


def entries(response: TestResponse, namespace: str) -> list[dict[str, str]]:
    root = ElementTree.fromstring(response.data)
    return [{part.tag.removeprefix(namespace): part.text or "" for part in one} for one in root]


def message(response: TestResponse) -> str:
    found = ElementTree.fromstring(response.data).find("{http://openrosa.org/http/response}message")
    assert found is not None
    return found.text or ""
