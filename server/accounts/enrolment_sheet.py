"""The sheet that an officer holds in front of a tablet: what to do, which tablet, which site, and the QR code.

The QR code is the credential, so nothing secret is printed beside it in clear.
"""

import io

from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from server.accounts.collect_settings import render_qr_png
from server.accounts.credentials import Enrolment

_WORDS = {
    "fr": (
        "Tablette %(device)s, site %(site)s",
        "1. Ouvrez ODK Collect.",
        "2. Touchez « Configurer avec un QR code », ou le nom du projet puis « Ajouter un projet ».",
        "3. Placez ce code devant l'appareil photo.",
        "4. Attendez que la liste des formulaires apparaisse.",
        "Cette feuille ouvre l'accès au serveur : gardez-la sous clé ou détruisez-la.",
        "Tablette perdue : prévenez aussitôt votre superviseur.",
    ),
    "en": (
        "Tablet %(device)s, site %(site)s",
        "1. Open ODK Collect.",
        "2. Tap “Configure with QR code”, or the project's name and then “Add project”.",
        "3. Hold this code in front of the camera.",
        "4. Wait until the list of forms appears.",
        "This sheet opens the server: lock it away or destroy it.",
        "Tablet lost: tell your supervisor at once.",
    ),
}
_MM = 72 / 25.4  # in points
_QR = 110 * _MM


def render_sheet(enrolment: Enrolment) -> bytes:
    """A PDF page with instructions in the tablet's language first, then in the other one."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4)
    canvas.setTitle(f"Teral {enrolment.device}")
    width, height = float(A4[0]), float(A4[1])
    qr = ImageReader(io.BytesIO(render_qr_png(enrolment.settings, scale=8)))
    canvas.drawImage(qr, (width - _QR) / 2, height - _QR - 20 * _MM, _QR, _QR)
    y = height - _QR - 32 * _MM
    for language in sorted(_WORDS, key=lambda one: one != enrolment.language):
        y = _write(canvas, language, enrolment, y)
    canvas.save()
    return target.getvalue()


def _write(canvas: Canvas, language: str, enrolment: Enrolment, y: float) -> float:
    title, *lines = _WORDS[language]
    canvas.setFont("Helvetica-Bold", 15)
    canvas.drawString(20 * _MM, y, title % {"device": enrolment.device, "site": enrolment.site})
    canvas.setFont("Helvetica", 11)
    for line in lines:
        y -= 6.5 * _MM
        canvas.drawString(20 * _MM, y, line)
    return y - 14 * _MM
