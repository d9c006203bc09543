"""Fill a form as an officer would: question by question, answering what the form asks and accepts.

Rules are draft.py's, answers to try are answers.py's. What comes out is a finalised record with its files.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from lxml import etree

from forms.definition import Field
from forms.node import Node
from server.tablets.answers import Asked, list_answers, make_point
from server.tablets.blanks import Action, BlankForm
from server.tablets.draft import Draft, FindEntities, Place
from server.tablets.people import Population
from server.tablets.pictures import make_audit, make_png, make_wav

_ATTEMPTS = 6
_OPTIONAL_ANSWERED = 0.7
_MOST_FREE_REPEATS = 4

# What an officer was told to answer, by the names of questions, for a repeat once per instance. They answer nothing
# else but what the form insists on.
Told = Mapping[str, "str | Sequence[Told]"]


@dataclass(slots=True)
class Officer:
    """Who fills, on which tablet, where. Questions that name the site are answered with `site`."""

    rng: Random
    population: Population
    collect_id: str = "collect:0000000000000000"
    username: str = ""
    site: str = ""

    def uuid(self) -> str:
        return str(UUID(int=self.rng.getrandbits(128), version=4))


@dataclass(slots=True)
class Filled:
    """A finalised record. `problems` are paths that no answer satisfied: empty for a valid one.

    `whole` still holds what was not relevant: an edit opens it again. `root` is what was finalised.
    """

    instance_id: str
    xml: bytes
    root: etree._Element
    whole: etree._Element
    files: dict[str, bytes]
    problems: list[str] = field(default_factory=list)


def fill_form(
    blank: BlankForm, officer: Officer, now: datetime, last_saved: etree._Element | None = None,
    find_entities: FindEntities = lambda _name: None, told: Told | None = None,
) -> Filled:  # fmt: skip
    """Fill a form once. Begins anew where answers do not fit together; raise KeyError if told of no such question."""
    if told is not None:
        _refuse_unknown(blank, told)
    for _ in range(_ATTEMPTS):
        filled = _Filling(blank, officer, now, last_saved, find_entities=find_entities, told=told).fill()
        if not filled.problems:
            break
    return filled


def correct_form(
    blank: BlankForm, officer: Officer, now: datetime, earlier: Filled,
    find_entities: FindEntities = lambda _name: None, told: Told | None = None,
) -> Filled:  # fmt: skip
    """Open a finalised record again, as Collect's edits do: a clone with a new id, in which all is calculated anew.

    The officer answers what they were told to, by default one of the texts.
    """
    if told is not None:
        _refuse_unknown(blank, told)
    return _Filling(blank, officer, now, None, earlier, find_entities, told).correct()


class _Filling:
    """One attempt."""

    def __init__(
        self, blank: BlankForm, officer: Officer, now: datetime,
        last_saved: etree._Element | None, earlier: Filled | None = None,
        find_entities: FindEntities = lambda _name: None, told: Told | None = None,
    ) -> None:  # fmt: skip
        self.blank, self.officer, self.rng = blank, officer, officer.rng
        self.earlier, self.told = earlier, told
        self.unheeded: list[str] = []
        self.seconds = self.rng.uniform(60, 420)
        self.started_at = now - timedelta(seconds=self.seconds)
        self.now = now
        saved = earlier.whole if earlier else None
        self.draft = Draft(blank, now, self._draw, last_saved, saved, find_entities)
        self.files: dict[str, bytes] = dict(earlier.files) if earlier else {}
        self.shown: list[str] = []
        self.instance_id = f"uuid:{officer.uuid()}"
        self.person: dict[str, str] = {}

    def fill(self) -> Filled:
        self._open(self.draft.root, outside_repeats=True)
        self.person = self._meet()
        self.draft.settle()
        self._fill_children(self.draft.root)
        return self._finalise()

    def correct(self) -> Filled:
        self.draft.settle()
        self.person = self._meet()
        for place in self._choose_corrections():
            node = self.draft.nodes[place]
            self._answer(place, node, self.draft.field_of(node))  # type: ignore[arg-type]
        return self._finalise()

    def _choose_corrections(self) -> list[Place]:
        questions = [(node, place) for node, place in self.draft.places if place.attribute is None]
        if self.told is not None:
            return [place for node, place in questions if getattr(self.draft.field_of(node), "name", "") in self.told]
        texts = [place for node, place in questions if self._is_correctable(node)]
        return [self.rng.choice(texts)] if texts else []

    def _is_correctable(self, node: Node) -> bool:
        one = self.draft.field_of(node)
        plain = one is not None and one.kind == "question" and one.type == "string" and one.control == "input"
        return plain and bool(node.text) and self.draft.is_relevant(node)

    def _finalise(self) -> Filled:
        draft = self.draft
        self._finish()
        draft.settle()
        problems = [*self.unheeded, *self._problems()]
        whole = deepcopy(draft.root)
        draft.prune()
        filled = Filled(self.instance_id, draft.to_xml(), draft.root, whole, self.files, problems)
        draft.close()
        return filled

    def _draw(self) -> dict[str, str]:
        officer = self.officer
        row = {"uuid": officer.uuid(), "random": f"{self.rng.random():.15f}"}
        return {**row, "deviceid": officer.collect_id, "username": officer.username, "phonenumber": "", "email": ""}

    def _meet(self) -> dict[str, str]:
        return self.officer.population.meet(self.rng).answers(self.rng, self.now.date())

    def _open(self, element: etree._Element, *, outside_repeats: bool) -> None:
        """Run what fills itself when a form, or a new instance of a repeat, opens."""
        for place in self._places_below(element):
            node = self.draft.nodes[place]
            one = self.draft.field_of(node)
            if one is None or (outside_repeats and one.repeat is not None):
                continue
            self._preload(place, one)
            for action in self.blank.actions:
                if action.question is None and action.path == one.path:
                    self._act(action, place, one)

    def _places_below(self, element: etree._Element) -> list[Place]:
        below = set(element.iter())
        return [place for _, place in self.draft.places if place.element in below]

    def _preload(self, place: Place, one: Field) -> None:
        officer, zone = self.officer, self.now
        values = {
            "start": _spell(self.started_at), "today": f"{zone:%Y-%m-%d}", "deviceid": officer.collect_id,
            "username": officer.username, "uid": self.instance_id,
        }  # fmt: skip
        if one.preload in values:
            self.draft.write(place, values[one.preload])

    def _act(self, action: Action, place: Place, one: Field) -> None:
        if action.is_place:
            self.draft.write(place, make_point(self.rng))
        elif action.value is not None:
            node = self.draft.nodes[place]
            self.draft.write(place, self.draft.spell(action.value.value(node, self.draft.environment), one))

    def _fill_children(self, element: etree._Element) -> None:
        repeats_done: set[str] = set()
        for child in list(element):
            node = self.draft.nodes.get(Place(child))
            one = self.draft.field_of(node) if node is not None else None
            if node is None or one is None or one.path in repeats_done:
                continue
            if one.kind == "repeat":
                repeats_done.add(one.path)
                self._fill_repeat(child, one)
            elif one.kind == "group":
                self._fill_group(child, one)
            elif one.kind == "question":
                self._fill_question(Place(child), one)

    def _fill_group(self, element: etree._Element, one: Field) -> None:
        self._settle_for(one.relevant)
        if self.draft.is_relevant(self.draft.nodes[Place(element)]):
            self._fill_children(element)

    def _fill_repeat(self, element: etree._Element, one: Field) -> None:
        """The form opens with one instance: here it becomes as many as are needed, or none."""
        draft, parent = self.draft, element.getparent()
        draft.settle()
        node = draft.nodes[Place(element)]
        told = self._told_instances(one)
        count = self._count(node, told) if draft.is_relevant(node) else 0
        # Further instances come from the blank form: what the first one has calculated once is its own.
        copies = [deepcopy(element if index == 0 else self.blank.find_blank(one.path)) for index in range(count)]
        if parent is None:
            return
        for copy in copies:
            element.addprevious(copy)
        parent.remove(element)
        draft.rebuild()
        around = self.person, self.told
        for index, copy in enumerate(copies):
            self.told = next(iter(told[index : index + 1]), {}) if told is not None else None
            self.person = self._meet() if self._is_about_people(one) else around[0]
            self._open(copy, outside_repeats=False)
            self._fill_children(copy)
        self.person, self.told = around
        draft.settle()

    def _told_instances(self, one: Field) -> list[Told] | None:
        if self.told is None:
            return None
        return [told for told in self.told.get(one.name, ()) if not isinstance(told, str)]

    def _count(self, node: Node, told: list[Told] | None) -> int:
        demanded = self.draft.count_repeats(node)
        if demanded is not None:
            return demanded
        return len(told) if told is not None else min(_MOST_FREE_REPEATS, 1 + int(self.rng.expovariate(1.2)))

    def _is_about_people(self, repeat: Field) -> bool:
        return any(one.person and one.path.startswith(repeat.path) for one in self.blank.definition.fields)

    def _fill_question(self, place: Place, one: Field) -> None:
        draft = self.draft
        listed = one.itemset.nodeset if one.itemset else None
        for rule in (one.relevant, one.readonly, one.required, listed):
            self._settle_for(rule)
        node = draft.nodes[place]
        if not draft.is_relevant(node) or (one.readonly or "").startswith("true()"):
            return
        self.shown.append(node.path())
        required = draft.is_required(node)
        if self._keeps_default(place, node, one):
            return
        if required or self._wants_to_answer(one):
            self._answer(place, node, one)
            self._trigger(one)

    def _wants_to_answer(self, one: Field) -> bool:
        return one.name in self.told if self.told is not None else self.rng.random() < _OPTIONAL_ANSWERED

    def _keeps_default(self, place: Place, node: Node, one: Field) -> bool:
        if not node.text or one.name in (self.told or {}):
            return False
        offered = one.itemset is None or set(node.text.split()) <= set(self.draft.choices(node, one))
        return offered and self.draft.satisfies(place, node.text)

    def _answer(self, place: Place, node: Node, one: Field) -> None:
        draft = self.draft
        draft.write(place, "")
        if one.control == "upload" or one.type == "binary":
            draft.write(place, self._take_file(one))
            return
        self._settle_for(one.constraint if one.constraint and "/" in one.constraint else None)
        answers = self._answers(one, draft.choices(node, one))
        answer = next((text for text in answers if text and draft.satisfies(place, text)), "")
        place.write("")
        node.text = ""
        draft.write(place, answer)
        if (self.told or {}).get(one.name, answer) != answer:
            self.unheeded.append(node.path())

    def _answers(self, one: Field, choices: list[str]) -> Iterable[str]:
        told = (self.told or {}).get(one.name)
        if isinstance(told, str):
            return [told] if one.itemset is None or set(told.split()) <= set(choices) else []
        attributes = self.blank.attributes.get(one.path, {})
        return list_answers(Asked(one, choices, self.now, self.rng, self.person, self.officer.site, attributes))

    def _trigger(self, one: Field) -> None:
        for action in self.blank.actions:
            if action.question == one.path:
                for node, place in list(self.draft.places):
                    target = self.draft.field_of(node)
                    if target is not None and target.path == action.path:
                        self._act(action, place, target)

    def _take_file(self, one: Field) -> str:
        """A file named after the millisecond, as Collect names them."""
        kind = self.blank.attributes.get(one.path, {}).get("mediatype", "image/*").partition("/")[0]
        ending, make = {"audio": (".wav", make_wav), "image": (".png", make_png)}.get(kind, (".bin", make_wav))
        name = f"{int(self.now.timestamp() * 1000) + len(self.files)}{ending}"
        self.files[name] = make(self.rng)
        return name

    def _settle_for(self, rule: str | None) -> None:
        """Calculate before a rule is asked that may look at other nodes."""
        if rule and ("/" in rule or ".." in rule):
            self.draft.settle()

    def _finish(self) -> None:
        """What Collect writes when a record is finalised."""
        for node, place in list(self.draft.places):
            one = self.draft.field_of(node)
            if one is not None and one.preload == "end":
                self.draft.write(place, _spell(self.now))
            elif one is not None and one.path.endswith("/meta/audit"):
                self.files["audit.csv"] = make_audit(self.shown, self.started_at, self.seconds)
                self.draft.write(place, "audit.csv")
        self._write_meta()

    def _write_meta(self) -> None:
        meta = next((one for one in self.draft.root if etree.QName(one).localname == "meta"), None)
        if meta is None:
            meta = etree.SubElement(self.draft.root, "meta")
        named = {etree.QName(one).localname: one for one in meta}
        namespace = etree.QName(meta).namespace
        deprecated_id = self.earlier.instance_id if self.earlier else None
        for name, text in (("instanceID", self.instance_id), ("deprecatedID", deprecated_id)):
            if text and name not in named:
                named[name] = etree.SubElement(meta, f"{{{namespace}}}{name}" if namespace else name)
            if text:
                named[name].text = text

    def _problems(self) -> list[str]:
        found = ((node, place, self.draft.field_of(node)) for node, place in list(self.draft.places))
        return [
            node.path() for node, place, one in found
            if one is not None and one.kind == "question" and self._is_wrong(place, node)
        ]  # fmt: skip

    def _is_wrong(self, place: Place, node: Node) -> bool:
        draft = self.draft
        if place.attribute is not None or not draft.is_relevant(node):
            return False
        return not draft.satisfies(place, node.text) or (not node.text and draft.is_required(node))


def _refuse_unknown(blank: BlankForm, told: Told) -> None:
    """A slip in what somebody was told would else be an answer left blank."""
    known = {one.name for one in blank.definition.fields}
    for name, answer in told.items():
        if name not in known:
            raise KeyError(name)
        for instance in () if isinstance(answer, str) else answer:
            _refuse_unknown(blank, instance)


def make_collect_id(rng: Random) -> str:
    """Sixteen letters and digits that Collect draws once for each installation."""
    signs = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "collect:" + "".join(rng.choice(signs) for _ in range(16))


def _spell(moment: datetime) -> str:
    zone = moment.strftime("%z")
    zone = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}{zone}"
