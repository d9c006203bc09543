"""What ODK Collect refuses of a form beside its expressions: lists, binds, texts and actions of its model.

JavaRosa's parser (XFormParser, FormInstanceParser) stops at each of these, and the form does not open on the tablet.
What it refuses of the questions is refused_questions.py's.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from lxml import etree

from forms.errors import FormProblem
from forms.outline import Outline, Texts, count_texts, is_path, refusal
from forms.references import absolute_path
from forms.submission import TEMPLATE
from forms.xform import ACTIONS
from forms.xml import attributes_of, child, local_name, without_namespace
from forms.xpath.compiler import compile_expression
from forms.xpath.errors import XPathRefused

ODK_NAMESPACE = "http://www.opendatakit.org/xforms"
_MODEL_PARTS = frozenset(["itext", "instance", "bind", "submission", *ACTIONS])
OPENING_EVENTS = frozenset(["odk-instance-first-load", "odk-instance-load", "xforms-ready"])
_NEW_REPEAT = "odk-new-repeat"
_EVENTS = frozenset([*OPENING_EVENTS, _NEW_REPEAT, "jr-insert", "xforms-value-changed", "xforms-revalidate"])
_RULES = ("relevant", "required", "readonly", "constraint", "calculate")


def list_refused_of_model(html: etree._Element, outline: Outline) -> Iterator[FormProblem]:
    """What a tablet refuses of the model and of the actions, wherever they stand."""
    return chain(
        _order(html),
        _contents(outline.model),
        _instances(outline.model),
        _nodes(outline.model),
        _binds(outline),
        _translations(outline.model),
        _outputs(html),
        chain.from_iterable(_action(one, outline) for one in html.iter(*(f"{{*}}{name}" for name in ACTIONS))),
    )


def _order(html: etree._Element) -> Iterator[FormProblem]:
    first = next(html.iter("{*}model", "{*}body"))
    if local_name(first) == "body" and len(first):
        yield refusal("model_after_body")


def _contents(model: etree._Element) -> Iterator[FormProblem]:
    for one in model:
        if local_name(one) not in _MODEL_PARTS:
            yield refusal("model_content", what=f"<{local_name(one)}>")
    loose = " ".join([model.text or "", *(one.tail or "" for one in model)]).strip()
    if loose:
        yield refusal("model_content", what=loose[:40])


def _instances(model: etree._Element) -> Iterator[FormProblem]:
    for one in model.iterchildren("{*}instance"):
        if len(one) > 1 and one.get("src") is None:
            yield refusal("instance_roots", id=one.get("id") or local_name(one[0]), count=len(one))


def _nodes(model: etree._Element) -> Iterator[FormProblem]:
    for element in next(model.iterchildren("{*}instance")).iter():
        templates = Counter(local_name(one) for one in element if TEMPLATE in one.attrib)
        yield from (refusal("template_twice", path=name) for name, times in templates.items() if times > 1)


def _binds(outline: Outline) -> Iterator[FormProblem]:
    binds = list(outline.model.iter("{*}bind"))
    ids = Counter(one.get("id") for one in binds if one.get("id"))
    yield from (refusal("bind_id_twice", id=name) for name, times in ids.items() if times > 1)
    for one in binds:
        nodeset = one.get("nodeset") or ""
        if not is_path(nodeset):
            yield refusal("not_a_path", text=nodeset)
        for name in _RULES:
            if one.get(name) is not None and not one.get(name, "").strip():
                yield refusal("rule_empty", path=nodeset, rule=name)
    for submission in outline.model.iterchildren("{*}submission"):
        yield from _unknown_bind(submission, outline)


def _unknown_bind(element: etree._Element, outline: Outline) -> Iterator[FormProblem]:
    bind = element.get("bind")
    if bind is not None and bind not in outline.bind_ids:
        yield refusal("bind_id_unknown", id=bind)


def _translations(model: etree._Element) -> Iterator[FormProblem]:
    itext = child(model, "itext")
    if itext is None:
        return
    translations = list(itext.iterchildren("{*}translation"))
    languages = Counter(one.get("lang", "") for one in translations)
    if not translations or "" in languages:
        yield refusal("translation_without_language")
    yield from (refusal("translation_twice", language=name) for name, times in languages.items() if times > 1)
    if sum(one.get("default") is not None for one in translations) > 1:
        yield refusal("translation_defaults")
    yield from chain.from_iterable(_translation(one) for one in translations)
    yield from _untranslatable(count_texts(itext))


def _translation(translation: etree._Element) -> Iterator[FormProblem]:
    for text in translation.iterchildren("{*}text"):
        if not text.get("id"):
            yield refusal("text_without_id", language=translation.get("lang", ""))
        for value in text:
            if local_name(value) != "value":
                yield refusal("text_content", text=text.get("id", ""), what=local_name(value))


def _untranslatable(texts: Texts) -> Iterator[FormProblem]:
    known = next(iter(texts.values()), Counter())
    for language, found in texts.items():
        twice = [text for (text, _), times in found.items() if times > 1]
        yield from (refusal("text_twice", text=text, language=language) for text in twice)
        beyond = {text for text, _ in found} - {text for text, _ in known}
        yield from (refusal("text_beyond_default", text=text, language=language) for text in sorted(beyond))


def _outputs(html: etree._Element) -> Iterator[FormProblem]:
    for one in html.iter("{*}output"):
        if one.get("ref") is None and one.get("value") is None:
            yield refusal("output_of_nothing")


def _action(action: etree._Element, outline: Outline) -> Iterator[FormProblem]:
    name = local_name(action)
    if name != "setvalue" and action.tag != f"{{{ODK_NAMESPACE}}}{name}":
        yield refusal("action_namespace", action=name, needed=ODK_NAMESPACE)
    yield from _events(action, name)
    yield from _target(action, name, outline)
    value = action.get("value")
    if value:
        try:
            compile_expression(value, outline.surroundings)
        except XPathRefused as error:
            yield FormProblem(error.code, dict(error.params), sheet="survey", column="calculation", quoted=value)


def list_events(action: etree._Element) -> list[str]:
    """The events that start an action, as JavaRosa cuts them apart."""
    named = {without_namespace(one): value for one, value in attributes_of(action).items()}
    return named.get("event", "").split(" ")


def _events(action: etree._Element, name: str) -> Iterator[FormProblem]:
    events = list_events(action)
    for event in events:
        if event not in _EVENTS:
            yield refusal("event_unknown", action=name, event=event)
        elif name == "recordaudio" and event not in OPENING_EVENTS:
            yield refusal("event_too_late", action=name, event=event)
    parent = action.getparent()
    if events == [_NEW_REPEAT] and parent is not None and local_name(parent) == "model":
        yield refusal("event_outside_repeat", event=_NEW_REPEAT)


def _target(action: etree._Element, name: str, outline: Outline) -> Iterator[FormProblem]:
    if name == "setvalue" and action.get("bind") is not None:
        yield from _unknown_bind(action, outline)
        return
    target = action.get("ref")
    if target is None:
        yield refusal("action_without_target", action=name)
    elif not is_path(target) or not outline.has_node(absolute_path(target, "")):
        yield refusal("action_to_nothing", action=name, path=target)
