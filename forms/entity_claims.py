"""`bind::teral:entity`: what a record updates in an entity list, said to the server alone.

ODK's own declaration (declarations.py) is read by Collect too, which keeps entities on the tablet in the clear; an
encrypted form uses this instead. A claim is written list#property. As in the list itself, `name` is the entity's id.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from forms.declarations import LIST_NAME, PROPERTY_NAME
from forms.definition import FormDefinition
from forms.entities import EntityChange, read_uuid
from forms.errors import FormProblem
from forms.submission import Submission, list_elements
from forms.xml import descend, text_of

ID, LABEL = "name", "label"


@dataclass(frozen=True, slots=True)
class _Claim:
    """One claim. `container` is the repeat around it, or the form's root: what stands together is one entity."""

    container: str
    list_name: str
    property: str
    path: str


def check_claims(definition: FormDefinition) -> Iterator[FormProblem]:
    """What is wrong with the claims of a form."""
    claims = list(_claims(definition))
    understood = {one.path for one in claims}
    for field in definition.fields:
        if field.entity is not None and field.path not in understood:
            yield _problem("entity_claim_shape", field.path, field.entity)
    identified = {(one.container, one.list_name) for one in claims if one.property == ID}
    taken: dict[tuple[str, str, str], str] = {}
    for one in claims:
        text = f"{one.list_name}#{one.property}"
        if (one.container, one.list_name) not in identified:
            yield _problem("entity_claim_without_id", one.path, text, list=one.list_name)
        other = taken.setdefault((one.container, one.list_name, one.property), one.path)
        if other != one.path:
            yield _problem("entity_claim_twice", one.path, text, other=other)


def read_entity_claims(definition: FormDefinition, submission: Submission) -> list[EntityChange]:
    """Every update that the record's claims ask for; where no id is answered, nothing is."""
    groups: dict[tuple[str, str], list[_Claim]] = {}
    for one in _claims(definition):
        groups.setdefault((one.container, one.list_name), []).append(one)
    return [
        change
        for (container, list_name), claims in groups.items()
        for place, element in list_elements(submission, definition, container)
        if (change := _change(list_name, place, _values(container, claims, element))) is not None
    ]


def _claims(definition: FormDefinition) -> Iterator[_Claim]:
    for field in definition.fields:
        list_name, _, name = (field.entity or "").partition("#")
        if LIST_NAME.match(list_name) and PROPERTY_NAME.match(name):
            yield _Claim(field.repeat or f"/{definition.root}", list_name, name, field.path)


def _problem(code: str, path: str, claim: str, **more: str) -> FormProblem:
    params: dict[str, object] = {"path": path, "claim": claim, **more}
    return FormProblem(code, params, sheet="survey", column="bind::teral:entity")


def _values(container: str, claims: list[_Claim], element: etree._Element) -> dict[str, str]:
    found = {one.property: descend(element, one.path.removeprefix(f"{container}/").split("/")) for one in claims}
    return {name: text_of(one) for name, one in found.items() if one is not None}


def _change(list_name: str, place: str, values: dict[str, str]) -> EntityChange | None:
    written = values.pop(ID, "")
    if not written:
        return None
    problems: list[str] = []
    return EntityChange(
        list_name=list_name,
        id=read_uuid(written, "entity_id", problems) or "",
        action="update",
        path=place,
        label=values.pop(LABEL, None),
        values=values,
        problems=tuple(problems),
    )
