"""A form at publishing: what will fail on the tablet, or can never work, found before anybody fills it.

What makes ODK Collect refuse the form is an error; what it would swallow silently is a warning.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from forms.compiled import CompiledForm, compile_form
from forms.definition import Field, FormDefinition, Itemset
from forms.dependencies import ABOVE_THE_FORM, COLUMNS, find_cycles, list_rules, referred_paths
from forms.entity_claims import check_claims
from forms.entity_sources import check_entity_ids
from forms.errors import FormProblem
from forms.node import PLAIN, Node
from forms.references import ancestor_paths
from forms.xpath.compiler import Expression, compile_expression
from forms.xpath.environment import Environment
from forms.xpath.errors import CannotVerify, XPathRefused
from forms.xpath.syntax import Chain, Number, Path, Syntax, list_paths

SURVEY = "survey"


def check_form(definition: FormDefinition) -> list[FormProblem]:
    """Everything that is wrong or doubtful with a form, errors first."""
    form = compile_form(definition)
    found = chain(
        _refused(form),
        _entities(form),
        _cycles(form),
        _references(form),
        _impossible(form),
        _cascades(form),
        _languages(definition),
        _mappings(definition),
        _entities_in_the_clear(definition),
        check_entity_ids(form),
        _kept_from_the_tablet(definition),
        check_claims(definition),
    )
    return sorted(found, key=lambda problem: problem.grade)


def _refused(form: CompiledForm) -> Iterator[FormProblem]:
    for (path, kind), error in form.refused.items():
        yield FormProblem(
            error.code,
            {**error.params, "path": path},
            grade="error" if isinstance(error, XPathRefused) else "warning",
            sheet=SURVEY,
            column=COLUMNS[kind],
            quoted=_text_of(form.definition.by_path[path], kind),
        )


def _text_of(field: Field, kind: str) -> str | None:
    if kind == "itemset":
        return field.itemset.nodeset if field.itemset else None
    text: str | None = getattr(field, kind)
    return text


def _entities(form: CompiledForm) -> Iterator[FormProblem]:
    """What an entity declaration computes and saves must be there."""
    for entity in form.definition.entities:
        for text in (entity.id_expression, entity.create_if, entity.update_if, entity.label_expression):
            try:
                compile_expression(text or "''", form.surroundings)
            except XPathRefused as error:
                yield FormProblem(error.code, dict(error.params), sheet="entities", quoted=text)
        for name, path in entity.save_to:
            if path not in form.definition.by_path:
                yield FormProblem("mapping_to_nothing", {"name": name, "path": path}, sheet=SURVEY, column="save_to")


def _kept_from_the_tablet(definition: FormDefinition) -> Iterator[FormProblem]:
    """Collect saves an answer to the entity of the nearest group that has one anywhere inside, or to none at all."""
    containers = [one.container for one in definition.entities]
    holders = {above for one in containers for above in (one, *ancestor_paths(one))}
    for entity in definition.entities:
        for name, path in entity.save_to:
            if next(above for above in ancestor_paths(path) if above in holders) != entity.container:
                params: dict[str, object] = {"list": entity.list_name, "name": name, "path": path}
                yield _warning("save_to_not_offline", params, "save_to")


def _cycles(form: CompiledForm) -> Iterator[FormProblem]:
    for paths in find_cycles(form):
        yield FormProblem("rules_in_a_circle", {"paths": " → ".join([*paths, paths[0]])}, sheet=SURVEY)


def _references(form: CompiledForm) -> Iterator[FormProblem]:
    """JavaRosa takes a path to nothing for a blank answer, and refuses one that climbs out of the form."""
    known = form.rules.keys()
    for path, rules in form.rules.items():
        for kind, expression in list_rules(rules):
            for missing in sorted(referred_paths(expression.syntax, path) - known):
                if not missing.rpartition("/")[2].startswith("@"):
                    params: dict[str, object] = {"path": path, "missing": missing}
                    problem = _warning("reference_to_nothing", params, COLUMNS[kind], expression)
                    yield replace(problem, grade="error") if missing.startswith(ABOVE_THE_FORM) else problem


def _warning(code: str, params: dict[str, object], column: str, expression: Expression | None = None) -> FormProblem:
    quoted = expression.text if expression else None
    return FormProblem(code, params, grade="warning", sheet=SURVEY, column=column, quoted=quoted)


def _impossible(form: CompiledForm) -> Iterator[FormProblem]:
    """Constraints that no answer meets."""
    for path, rules in form.rules.items():
        if rules.constraint is not None and (
            _is_constantly_false(rules.constraint) or _is_empty(rules.constraint.syntax)
        ):
            yield _warning("constraint_never_holds", {"path": path}, "constraint", rules.constraint)


def _is_constantly_false(rule: Expression) -> bool:
    if list_paths(rule.syntax) or not rule.replayable:
        return False
    nothing = Node("", PLAIN, "", None)
    try:
        return not rule.test(nothing, Environment(nothing))
    except CannotVerify:
        return False


def _is_empty(syntax: Syntax) -> bool:
    """Whether limits on the answer that are joined by “and” leave no number between them."""
    parts = syntax.operands if isinstance(syntax, Chain) and set(syntax.operators) == {"and"} else (syntax,)
    lowest, highest, strict = -math.inf, math.inf, False
    for sign, limit in filter(None, map(_limit, parts)):
        if sign[0] in ">=":
            lowest, strict = max(lowest, limit), strict or sign == ">"
        if sign[0] in "<=":
            highest, strict = min(highest, limit), strict or sign == "<"
    return lowest > highest or (lowest == highest and strict)


FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


def _limit(syntax: Syntax) -> tuple[str, float] | None:
    """`. < 5` or `5 > .` as ("<", 5)."""
    if not isinstance(syntax, Chain) or len(syntax.operators) != 1 or syntax.operators[0] not in FLIPPED:
        return None
    left, right = syntax.operands
    answer = Path("context", ())
    if left == answer and isinstance(right, Number):
        return syntax.operators[0], right.value
    if right == answer and isinstance(left, Number):
        return FLIPPED[syntax.operators[0]], left.value
    return None


def _cascades(form: CompiledForm) -> Iterator[FormProblem]:
    """Choices of one question for which a filtered list of another has nothing to offer."""
    for path, rules in form.rules.items():
        itemset = rules.field.itemset
        if rules.itemset is None or itemset is None or not itemset.filtered or itemset.instance is None:
            continue
        for column, parent in _equalities(rules.itemset.syntax, path):
            values = _barren(form.definition, itemset, column, parent)
            if values:
                params: dict[str, object] = {"path": path, "parent": parent, "values": ", ".join(values)}
                yield _warning("cascade_without_choice", params, COLUMNS["itemset"], rules.itemset)


def _equalities(nodeset: Syntax, path: str) -> Iterator[tuple[str, str]]:
    """Pairs of a column and a question that the filter holds against each other."""
    predicates = [one for step in nodeset.steps for one in step.predicates] if isinstance(nodeset, Path) else []
    for predicate in predicates:
        if isinstance(predicate, Chain) and predicate.operators == ("=",):
            for column, other in (predicate.operands, predicate.operands[::-1]):
                is_column = isinstance(column, Path) and column.start == "context" and len(column.steps) == 1
                if is_column and isinstance(column, Path) and isinstance(other, Path):
                    yield from ((column.steps[0].name, one) for one in referred_paths(other, "*") if one != path)


def _barren(definition: FormDefinition, itemset: Itemset, column: str, parent: str) -> list[str]:
    """The parent's choices that stand in no row of a list inside the form."""
    rows = next((one.items for one in definition.instances if one.id == itemset.instance and one.tree is None), ())
    field = definition.by_path.get(parent)
    if not rows or field is None or field.itemset is None:
        return []
    offered = {row.get(column, "") for row in rows}
    return [choice.value for choice in field.itemset.choices if choice.value not in offered]


def _languages(definition: FormDefinition) -> Iterator[FormProblem]:
    """Labels that a form has in one of its languages and lacks in another."""
    for field in definition.fields:
        texts = [("label", field.label), ("hint", field.hint), ("constraint_message", field.constraint_message)]
        texts += [("required_message", field.required_message)]
        choices = field.itemset.choices if field.itemset else ()
        texts += [("label", choice.label) for choice in choices]
        for language in definition.languages:
            lacking = {column for column, text in texts if text and "" not in text and not text.get(language)}
            for column in sorted(lacking):
                yield _warning("text_missing_in_language", {"path": field.path, "language": language}, column)


def _entities_in_the_clear(definition: FormDefinition) -> Iterator[FormProblem]:
    """Collect fills its local entity lists when a record is finalised, and encrypts afterwards."""
    if definition.encrypted and definition.entities:
        yield FormProblem("entities_in_encrypted_form", sheet="entities")


def _mappings(definition: FormDefinition) -> Iterator[FormProblem]:
    """What feeds the registry must be something that holds an answer."""
    for field in definition.fields:
        for table, name in (("person", field.person), ("encounter", field.encounter), ("entity", field.entity)):
            if name is not None and field.kind in ("group", "repeat", "structure"):
                params: dict[str, object] = {"name": name, "path": field.path}
                yield FormProblem("mapping_to_nothing", params, sheet=SURVEY, column=f"bind::teral:{table}")
