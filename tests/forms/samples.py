"""Sample forms and submissions of tests/samples, and small ones written in a test."""

from functools import cache
from pathlib import Path

from forms.definition import FormDefinition
from forms.submission import Submission, parse_submission
from forms.xform import parse_form
from forms.xlsform import ReadForm, read_form

SAMPLES = Path(__file__).parent.parent / "samples"


@cache
def sample_form(filename: str) -> ReadForm:
    return read_form((SAMPLES / filename).read_bytes(), filename)


def sample_submission(filename: str) -> Submission:
    return parse_submission((SAMPLES / filename).read_bytes())


def xform(instance: str, model: str = "", body: str = "", attributes: str = 'id="essai" version="1"') -> bytes:
    """An XForm around the children of its primary instance."""
    return f"""<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
        xmlns:jr="http://openrosa.org/javarosa" xmlns:odk="http://www.opendatakit.org/xforms"
        xmlns:entities="http://www.opendatakit.org/xforms/entities" xmlns:teral="urn:teral:xforms">
      <h:head><h:title>Essai</h:title>
        <model entities:entities-version="2025.1.0">{model.partition("<bind")[0]}
          <instance><data {attributes}>{instance}</data></instance>{"".join(model.partition("<bind")[1:])}
        </model></h:head>
      <h:body>{body}</h:body></h:html>""".encode()


def definition(instance: str, model: str = "", body: str = "") -> FormDefinition:
    return parse_form(xform(instance, model, body))


def submission(children: str, attributes: str = 'id="essai" version="1"') -> Submission:
    return parse_submission(f"<data {attributes}>{children}</data>".encode())
