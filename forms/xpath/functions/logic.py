"""Truth, choice between values, and what the tablet alone knows: true … if, coalesce, once, property, version."""

from forms.node import Node
from forms.xpath.environment import Environment, value_of
from forms.xpath.errors import CannotVerify
from forms.xpath.part import Part, Scope, builder, function, scalar
from forms.xpath.paths import unpack_raw
from forms.xpath.syntax import Syntax
from forms.xpath.values import Value, is_null, to_boolean, to_java_int, to_number, to_text


@function("true", least=0, kind="boolean")
def true() -> Value:
    """The constant."""
    return True


@function("false", least=0, kind="boolean")
def false() -> Value:
    """The constant."""
    return False


@function("boolean", least=1, kind="boolean")
def boolean(value: Value) -> Value:
    """By the rules of to_boolean."""
    return to_boolean(value)


@function("not", least=1, kind="boolean")
def negation(value: Value) -> Value:
    """The opposite of to_boolean."""
    return not to_boolean(value)


@function("boolean-from-string", least=1, kind="boolean")
def boolean_from_string(value: Value) -> Value:
    """True for "1" and for "true" in any case, alone."""
    text = to_text(value)
    return text == "1" or text.lower() == "true"


@builder("if", counts=lambda count: count == 3)
def condition(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The second argument or the third; only the chosen one is evaluated."""
    test, then, otherwise = parts
    decide = test.test()

    def value(node: Node, environment: Environment) -> Value:
        return (then if decide(node, environment) else otherwise).value(node, environment)

    def raw(node: Node, environment: Environment) -> Value | list[Node]:
        return (then if decide(node, environment) else otherwise).raw(node, environment)

    return Part(syntax, value, raw, then.kind if then.kind == otherwise.kind else "any")


@builder("coalesce", counts=lambda count: count == 2)
def coalesce(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The first argument unless it is blank; the second is evaluated only then."""
    first, second = parts

    def raw(node: Node, environment: Environment) -> Value | list[Node]:
        found = first.raw(node, environment)
        return second.raw(node, environment) if is_null(unpack_raw(found, environment)) else found

    return Part(syntax, lambda node, environment: unpack_raw(raw(node, environment), environment), raw)


@builder("depend", counts=lambda count: count >= 1)
def depend(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """The first argument; the others only tell JavaRosa when to evaluate it again."""

    def raw(node: Node, environment: Environment) -> Value | list[Node]:
        found = [part.raw(node, environment) for part in parts]
        return found[0]

    return Part(syntax, lambda node, environment: unpack_raw(raw(node, environment), environment), raw)


@builder("once", counts=lambda count: count == 1)
def once(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """What already stands at the node; only a blank one is computed."""
    value = parts[0].value

    def evaluate(node: Node, environment: Environment) -> Value:
        current = value_of(node, environment)
        return value(node, environment) if to_text(current) == "" else current

    return scalar(syntax, evaluate)


@function("property", least=1, pure=False)
def device_property(_name: Value) -> Value:
    """Who holds the tablet and which one it is, is not ours to know."""
    raise CannotVerify("cannot_know_property")


@builder("version", counts=lambda count: count == 0)
def version(syntax: Syntax, _parts: list[Part], scope: Scope) -> Part:
    """The version of the form that the record names."""
    text = scope.form.definition.version if scope.form.definition else ""
    return scalar(syntax, lambda _node, _environment: text, "text")


@builder("checklist", counts=lambda count: count >= 2)
def checklist(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """Whether the number of true factors lies between two limits; a negative limit does not bind."""
    limits, factors = parts[:2], parts[2:]

    def evaluate(node: Node, environment: Environment) -> Value:
        least, most = (to_java_int(part.value(node, environment)) for part in limits)
        count = sum(map(to_boolean, list_values(factors, node, environment)))
        return (least < 0 or count >= least) and (most < 0 or count <= most)

    return scalar(syntax, evaluate, "boolean")


@builder("weighted-checklist", counts=lambda count: count >= 2 and count % 2 == 0)
def weighted_checklist(syntax: Syntax, parts: list[Part], _scope: Scope) -> Part:
    """Whether the weights of the true factors sum up to something between the limits."""

    def evaluate(node: Node, environment: Environment) -> Value:
        least, most = (to_number(part.value(node, environment)) for part in parts[:2])
        total = sum(weight for flag, weight in _weights(parts[2:], node, environment) if flag)
        return least <= total <= most

    return scalar(syntax, evaluate, "boolean")


def _weights(parts: list[Part], node: Node, environment: Environment) -> list[tuple[bool, float]]:
    if len(parts) == 2:
        flags = list_values(parts[:1], node, environment)
        weights = list_values(parts[1:], node, environment)
        if len(flags) != len(weights):
            raise CannotVerify("cannot_use_function", name="weighted-checklist")
    else:
        flags = [part.value(node, environment) for part in parts[::2]]
        weights = [part.value(node, environment) for part in parts[1::2]]
    return [(to_boolean(flag), to_number(weight)) for flag, weight in zip(flags, weights, strict=True)]


def list_values(parts: list[Part], node: Node, environment: Environment) -> list[Value]:
    """The values of all arguments; a single argument that is a node-set gives all of its nodes' values."""
    if len(parts) != 1:
        return [part.value(node, environment) for part in parts]
    found = parts[0].raw(node, environment)
    return [value_of(one, environment) for one in found] if isinstance(found, list) else [found]
