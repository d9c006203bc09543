"""A supervisor's morning in a real browser, against a real server process: log in, publish, see a record arrive."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
import urllib3
from click.testing import CliRunner
from playwright.sync_api import Locator, Page, expect, sync_playwright

from server.cli import main

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PASSWORD = "baobab-sous-la-pluie"
FORM = """
| survey |
| | type | name | label::Français (fr) | label::English (en) | bind::teral:person |
| | text | lieu | Lieu | Place | |
| | begin_repeat | gens | Personnes | People | |
| | text | prenoms | Prénoms | Given names | given_names |
| | text | nom | Nom | Family name | family_name |
| | date | naissance | Né le | Born on | birth_date |
| | text | mere | Mère | Mother | mother_name |
| | end_repeat | | | | |
| settings |
| | form_id | version | form_title |
| | essai | 1 | Essai du matin |
"""


class House:
    """One data folder with its server; `teral` runs a command on it."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.folder, self.address = folder, f"http://127.0.0.1:{port}"
        self.environment = os.environ | {
            "TERAL_DATA_DIR": str(folder), "TERAL_PORT": str(port), "TERAL_PUBLIC_URL": self.address,
            "TERAL_SECRET_KEY": "browser-journey-0123456789-abcdefghij", "TERAL_PASSWORD": PASSWORD,
            "TERAL_DATABASE_URL": "", "TERAL_WEB_WORKERS": "1",
        }  # fmt: skip

    def teral(self, *words: str) -> str:
        said = CliRunner(env=self.environment).invoke(main, words, catch_exceptions=False)
        assert said.exit_code == 0, said.output
        return said.stdout

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "server.cli", *words], env=self.environment)

    def serve(self) -> subprocess.Popen[bytes]:
        server = self.start("serve")
        until = time.monotonic() + 30
        while not self.answers():
            assert time.monotonic() < until, "the server did not start"
            assert server.poll() is None, "the server ended"
            time.sleep(0.2)
        return server

    def answers(self) -> bool:
        try:
            return bool(urlopen(f"{self.address}/healthz").status == 200)
        except OSError:
            return False


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine: the browser journey was not walked")
    house = House(tmp_path)
    house.teral("setup")
    house.teral("users", "add", "chef@teral.test", "--role", "administrator")
    house.teral("users", "add", "suivi@teral.test", "--role", "national_supervisor")
    house.teral("users", "add", "identites@teral.test", "--role", "data_steward")
    running = [house.serve(), house.start("jobs", "run")]
    yield house
    for process in running:
        process.terminate()
    assert [process.wait(timeout=30) for process in running] == [0, 0]


@pytest.fixture
def page(house: House) -> Iterator[Page]:
    expect.set_options(timeout=30_000)
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(base_url=house.address, locale="fr-SN")
        page.clock.install()
        yield page
        browser.close()


def log_in(page: Page, email: str) -> None:
    page.goto("/login")
    page.get_by_label("Adresse électronique").fill(email)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()


def test_a_form_is_published_records_arrive_and_two_become_one_person(house: House, page: Page) -> None:
    log_in(page, "chef@teral.test")
    add_site(page)
    publish(house, page)
    send_from_a_tablet(house, page)
    decide_who_is_who(house, page)


def add_site(page: Page) -> None:
    page.get_by_role("link", name="Sites").click()
    page.get_by_role("link", name="Ajouter un site").click()
    page.get_by_label("Code").fill("ROSSO")
    page.get_by_label("Nom").fill("Rosso")
    page.get_by_role("button", name="Ajouter un site").click()
    expect(page.get_by_role("row", name="Rosso")).to_be_visible()


def publish(house: House, page: Page) -> None:
    (house.folder / "essai.md").write_text(FORM)
    page.get_by_role("link", name="Formulaires").click()
    page.get_by_role("link", name="Publier un formulaire").click()
    page.locator("#form").set_input_files(house.folder / "essai.md")
    page.get_by_role("button", name="Publier", exact=True).click()
    expect(page.get_by_text("Essai du matin").first).to_be_visible()


def send_from_a_tablet(house: House, page: Page) -> None:
    """The page is open while the record comes; it shows it by itself, then says the same in English."""
    enrolment = house.folder / "tablet.json"
    enrolment.write_text(house.teral("devices", "enrol", "--site", "ROSSO", "--name", "ROSSO-01", "--json"))
    page.get_by_text("chef@teral.test").click()
    page.get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url("**/login")
    log_in(page, "suivi@teral.test")
    expect(page.get_by_role("heading", name="État des envois")).to_be_visible()
    sent = json.loads(house.teral("tablets", str(enrolment), "--records", "1", "--json"))
    assert sent["failed"] == 0
    page.clock.fast_forward("10")  # after so many seconds the page looks again
    row = page.get_by_role("row", name="ROSSO-01")
    expect(row).to_contain_text("moins d'une minute")
    page.get_by_role("button", name="EN").click()
    expect(page.get_by_role("heading", name="Sync status")).to_be_visible()
    page.get_by_role("link", name="Submissions").click()
    record = page.get_by_role("row", name="ROSSO-01").first
    expect(record).to_be_visible()
    see_it_merged(page, record)


def see_it_merged(page: Page, record: Locator) -> None:
    """The job process judges by itself; the record's own page then says so in both languages."""
    record.get_by_role("link").first.click()
    until = time.monotonic() + 30
    while not page.locator(".state-merged").count():
        assert time.monotonic() < until, "the record was not merged"
        page.wait_for_timeout(500)
        page.reload()
    expect(page.locator(".state-merged").first).to_have_text("merged")
    page.get_by_role("button", name="FR").click()
    expect(page.locator(".state-merged").first).to_have_text("intégré")


def decide_who_is_who(house: House, page: Page) -> None:
    """Queue, same person by a key, one person who shows both records, and back: in French, then in English."""
    for number, mother in enumerate(("<mere>Coumba Sarr</mere>", "<mere/>")):
        send_meeting(house, number, mother)
    page.get_by_text("suivi@teral.test").click()
    page.get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url("**/login")
    log_in(page, "identites@teral.test")
    open_the_question(page)
    read_the_keys(page)
    answer_by_keys(page)
    page.get_by_role("link", name="Personnes", exact=True).click()
    page.get_by_label("Nom, référence").fill("njie aissatou")
    page.get_by_role("button", name="Chercher").click()
    page.get_by_role("row", name="Ndiaye").get_by_role("link").click()
    expect(page.get_by_text("2 fiches parlent de cette personne.")).to_be_visible()
    page.get_by_role("button", name="EN").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("What held before it holds again.")).to_be_visible()
    expect(page.get_by_role("heading", name="Same person?")).to_be_visible()


def read_the_keys(page: Page) -> None:
    """What a screen reader tells of each key; where one writes, or has switched them off, they press nothing."""
    for key, name in enumerate(("La même personne", "Personnes différentes", "Pas sûr"), 1):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-keyshortcuts", str(key))
    for key, name in enumerate(("Demander au site", "Question suivante"), 4):
        expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute("aria-keyshortcuts", str(key))
    question, switch = page.url, page.get_by_role("checkbox", name="Les touches")
    page.get_by_label("Motif").press_sequentially("12345")
    expect(page.get_by_label("Motif")).to_have_value("12345")
    page.get_by_label("Quelle fiche").press("1")
    page.get_by_label("Motif").fill("")
    switch.uncheck()
    for key in "12345":
        page.keyboard.press(key)
    assert page.url == question
    switch.check()
    press(page, "4")
    expect(page.locator("#ask")).to_be_focused()


def answer_by_keys(page: Page) -> None:
    """An answer by a key and its undoing, the next question by another, and a key pressed twice: that decides once."""
    press(page, "2")
    expect(page.get_by_text("Noté : jamais la même personne.")).to_be_visible()
    page.get_by_role("button", name="Annuler").click()
    expect(page.get_by_text("Ce qui valait avant elle vaut de nouveau.")).to_be_visible()
    question = page.url
    press(page, "5")
    page.wait_for_url("**/links/")
    page.goto(question)
    press(page, "11")
    expect(page.get_by_text("Noté : la même personne.")).to_be_visible()
    page.get_by_role("link", name="Décisions", exact=True).click()
    expect(
        page.get_by_role("listitem").filter(has_text="la même personne").filter(has_not_text="jamais")
    ).to_have_count(1)


def press(page: Page, keys: str) -> None:
    """As somebody does who has seen the page: a key that comes as soon as it is there was meant for the one before."""
    seen = "() => document.readyState === 'complete' && performance.now() - shownAt > SEEN_MS"
    while not page.evaluate(seen):
        page.wait_for_timeout(50)
    for key in keys:
        page.keyboard.press(key)


def send_meeting(house: House, number: int, mother: str) -> None:
    enrolment = json.loads((house.folder / "tablet.json").read_text())
    said = f"<prenoms>Aïssatou</prenoms><nom>Ndiaye</nom><naissance>{1991 + number}-04-12</naissance>{mother}"
    meta = f"<meta><instanceID>uuid:meeting-{number}</instanceID></meta>"
    record = f'<data id="essai" version="1"><lieu/><gens>{said}</gens>{meta}</data>'
    part = ("record.xml", record.encode(), "text/xml")
    sent = urllib3.request("POST", f"{enrolment['server_url']}/submission", fields={"xml_submission_file": part})
    assert sent.status == 201, sent.data


def open_the_question(page: Page) -> None:
    page.get_by_role("link", name="Même personne ?").click()
    until = time.monotonic() + 30
    while not page.get_by_role("link", name="Commencer").count():
        assert time.monotonic() < until, "no question was asked"
        page.wait_for_timeout(300)
        page.reload()
    page.get_by_role("link", name="Commencer").click()
    expect(page.get_by_role("rowheader", name="Ensemble")).to_be_visible()
