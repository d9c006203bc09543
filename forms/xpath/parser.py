"""Tokens → syntax tree, by precedence climbing. Refuses what JavaRosa's parser and path reader refuse."""

from forms.xpath.errors import XPathRefused
from forms.xpath.syntax import Call, Chain, Negative, Number, Path, Step, Syntax, Text
from forms.xpath.tokens import END, Token, refused, tokenize

# Each level of nesting costs a few Python frames; pyxform's longest chains of if() stay far below.
DEEPEST = 120

PRECEDENCE: tuple[tuple[str, ...], ...] = (
    ("or",),
    ("and",),
    ("=", "!="),
    ("<", "<=", ">", ">="),
    ("+", "-"),
    ("*", "div", "mod"),
)
LEVEL = {operator: level for level, operators in enumerate(PRECEDENCE) for operator in operators}
INWARD = frozenset(["child", "attribute"])
NODE_TESTS = ("node", "text", "comment", "processing-instruction")
AXES = (
    "child", "descendant", "parent", "ancestor", "following-sibling", "preceding-sibling", "following", "preceding",
    "attribute", "namespace", "self", "descendant-or-self", "ancestor-or-self",
)  # fmt: skip


def parse(expression: str) -> Syntax:
    """The tree of an expression; XPathRefused if JavaRosa could not read it or knows no such path."""
    parser = _Parser(expression)
    syntax = parser.expression()
    if parser.token is not END:
        raise parser.unexpected()
    return syntax


class _Parser:
    def __init__(self, expression: str) -> None:
        self.text = expression
        self.tokens = [*tokenize(expression), END]
        self.depth = 0
        self.position = -1
        self.advance()

    def advance(self) -> None:
        """Stand at the next token. `symbol` is its text if it is one, else "": nearly all questions are about that."""
        self.position += 1
        self.token = token = self.tokens[self.position]
        self.symbol = token.text if token.kind == "symbol" else ""

    def unexpected(self) -> XPathRefused:
        return refused(self.text, self.token.text)

    def take(self) -> Token:
        token = self.token
        self.advance()
        return token

    def expect(self, symbol: str) -> None:
        if self.symbol != symbol:
            raise self.unexpected()
        self.advance()

    def expression(self) -> Syntax:
        self.depth += 1
        if self.depth > DEEPEST:
            raise XPathRefused("xpath_too_deep", limit=DEEPEST)
        syntax = self.chain(0)
        self.depth -= 1
        return syntax

    def chain(self, level: int) -> Syntax:
        """Operators of this level or tighter: the loop keeps long chains flat, however many terms they have."""
        first = self.unary()
        return self.climb(first, level)

    def climb(self, left: Syntax, level: int) -> Syntax:
        while (found := LEVEL.get(self.symbol, -1)) >= level:
            operands, operators = [left], []
            while LEVEL.get(self.symbol, -1) == found:
                operators.append(self.take().text)
                operands.append(self.chain(found + 1))
            left = Chain(tuple(operands), tuple(operators))
        return left

    def unary(self) -> Syntax:
        negatives = 0
        while self.symbol == "negative":
            self.advance()
            negatives += 1
        operand = self.primary()
        if self.symbol == "|":
            # JavaRosa reads a union and then fails each time it evaluates one.
            raise XPathRefused("xpath_unsupported", what="|")
        for _ in range(negatives):
            operand = Negative(operand)
        return operand

    def primary(self) -> Syntax:
        token = self.token
        if token.kind == "name":
            return self.call() if self.follows("(") and token.text not in NODE_TESTS else self.path()
        if token.kind == "number":
            self.advance()
            return Number(token.number)
        if token.kind == "string":
            self.advance()
            return Text(token.text)
        if token.kind == "variable":
            raise XPathRefused("xpath_unsupported", what=f"${token.text}")
        return self.parenthesis() if self.symbol == "(" else self.path()

    def follows(self, symbol: str) -> bool:
        following = self.tokens[self.position + 1]
        return following.text == symbol and following.kind == "symbol"

    def parenthesis(self) -> Syntax:
        self.expect("(")
        inner = self.expression()
        self.expect(")")
        self.no_filter()
        return inner

    def no_filter(self) -> None:
        if self.symbol in ("[", "/", "//"):
            raise XPathRefused("xpath_unsupported", what=self.token.text)

    def call(self) -> Syntax:
        name = self.take().text
        arguments = tuple(self.enclosed_arguments())
        if name == "instance" and self.symbol == "/":
            return self.instance_path(arguments)
        if name == "current" and self.symbol == "/":
            self.advance()
            return Path("current", _normal_steps(self.steps(), absolute=False))
        self.no_filter()
        return Call(name, arguments)

    def enclosed_arguments(self) -> list[Syntax]:
        self.expect("(")
        arguments: list[Syntax] = []
        if self.symbol != ")":
            arguments.append(self.expression())
            while self.symbol == ",":
                self.advance()
                arguments.append(self.expression())
        self.expect(")")
        return arguments

    def instance_path(self, arguments: tuple[Syntax, ...]) -> Path:
        if len(arguments) != 1 or not isinstance(arguments[0], Text):
            raise XPathRefused("xpath_unsupported", what="instance(…)")
        self.advance()
        return Path("instance", _normal_steps(self.steps(), absolute=True), arguments[0].value)

    def path(self) -> Path:
        if self.symbol != "/":
            return Path("context", _normal_steps(self.steps(), absolute=False))
        self.advance()
        steps = _normal_steps(self.steps(), absolute=True)
        if not steps:
            raise XPathRefused("xpath_unsupported_step", step="/.")
        return Path("root", steps)

    def steps(self) -> list[Step]:
        steps = [self.step()]
        while self.symbol == "/":
            self.advance()
            steps.append(self.step())
        if self.symbol == "//":
            raise XPathRefused("xpath_unsupported_step", step="//")
        return steps

    def step(self) -> Step:
        if self.token.kind == "name":
            return self.axis_step() if self.follows("::") else self.named_step("child")
        if self.symbol in (".", ".."):
            return Step("self" if self.take().text == "." else "parent")
        if self.symbol == "@":
            self.advance()
            return self.named_step("attribute")
        return self.named_step("child")

    def axis_step(self) -> Step:
        axis = self.take().text
        self.advance()
        if axis not in AXES:
            raise XPathRefused("xpath_unsupported_step", step=f"{axis}::")
        if axis in ("self", "parent") and self.token.text == "node" and self.follows("("):
            self.advance()
            self.expect("(")
            self.expect(")")
            return Step("self" if axis == "self" else "parent")
        if axis in ("child", "attribute"):
            return self.named_step(axis)
        raise XPathRefused("xpath_unsupported_step", step=f"{axis}::{self.token.text}")

    def named_step(self, axis: str) -> Step:
        token = self.token
        if token.kind == "prefixed-wildcard" or (token.kind == "name" and self.follows("(")):
            raise XPathRefused("xpath_unsupported_step", step=token.text)
        if token.kind != "name":
            raise XPathRefused("xpath_unsupported_step", step="//") if self.symbol == "//" else self.unexpected()
        if axis == "attribute" and token.text == "*":
            raise XPathRefused("xpath_unsupported_step", step="@*")
        self.advance()
        predicates: list[Syntax] = []
        while self.symbol == "[":
            predicates.append(self.predicate())
        return Step("attribute" if axis == "attribute" else "child", token.text, tuple(predicates))

    def predicate(self) -> Syntax:
        self.expect("[")
        inner = self.expression()
        self.expect("]")
        return inner


def _normal_steps(steps: list[Step], absolute: bool) -> tuple[Step, ...]:
    """The steps as JavaRosa's TreeReference keeps them: all “..” first, “.” nowhere, the others in order.

    A “..” after a name is counted like one at the start (a/../b is ../a/b), and has no effect in an absolute path.
    """
    if INWARD.issuperset([step.axis for step in steps]):
        return tuple(steps)
    climbs = any(step.axis == "parent" for step in steps)
    if absolute and climbs and (steps[0].axis == "parent" or any(step.predicates for step in steps)):
        raise XPathRefused("xpath_unsupported_step", step="..")
    parents = [step for step in steps if step.axis == "parent" and not absolute]
    return (*parents, *(step for step in steps if step.axis in INWARD))
