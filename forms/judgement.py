"""One record against its compiled form: relevance, required, types, choices, constraints, calculations, counts.

A verdict that fails for a reason that may lie with us (a clock, a list that changed) is a warning, never an error.
What stands around the answers (form id, unknown nodes, files) is validation.py's.
"""

from dataclasses import dataclass, field

from forms.calculations import agrees
from forms.compiled import CompiledForm, Count, Rules
from forms.errors import Finding, FindingKind, FormsError
from forms.glance import is_blank, is_plain
from forms.list_trees import ListTrees, cell_text
from forms.node import Node
from forms.shapes import Record
from forms.values import BadValueError, parse_value
from forms.xpath.compiler import Expression
from forms.xpath.environment import Environment, is_relevant
from forms.xpath.errors import CannotVerify
from forms.xpath.values import to_java_int


def _is_clean(rules: Rules, node: Node, environment: Environment) -> bool:
    """Whether a quick look finds nothing; what cannot be verified is looked at closely, and said there."""
    try:
        return bool(rules.glance(node, environment))
    except (CannotVerify, RecursionError):
        return False


@dataclass(slots=True)
class Judge:
    """The judging of one record. Findings come in document order."""

    form: CompiledForm
    record: Record
    environment: Environment
    lists: ListTrees
    findings: list[Finding] = field(default_factory=list)

    def judge(self) -> list[Finding]:
        """Everything that the form's rules say about the record."""
        environment = self.environment
        for node in self.record.nodes:
            if node.relevant is not True and not self._is_relevant(node):
                continue
            rules = node.shape.rules
            if rules is None:
                continue
            environment.original = node
            if not _is_clean(rules, node, environment):
                self._judge_node(node, rules)
        return self.findings

    def _is_relevant(self, node: Node) -> bool:
        """Whether a node is to be judged; says so where it has an answer that it should not have."""
        try:
            relevant = is_relevant(node, self.environment)
        except CannotVerify as error:
            # Said once, at the node whose rule it is, not for all that lies below.
            if node.parent is None or not isinstance(node.parent.relevant, CannotVerify):
                self._doubt(node, error, self._relevance_text(node))
            return False
        if not relevant and node.text:
            # A tablet removes such answers when a record is finalised, and JavaRosa takes no notice of them.
            self._find(node, "relevant", "not_relevant", self._relevance_text(node), grade="warning")
        return relevant

    def _relevance_text(self, node: Node) -> str | None:
        """The nearest relevance rule at or above a node, as the form writes it."""
        rules = [one.shape.rules for one in reversed(node.chain()) if one.shape.rules is not None]
        return next((str(one.field.relevant) for one in rules if one.field.relevant), None)

    def _judge_node(self, node: Node, rules: Rules) -> None:
        for error in rules.refused:
            self._doubt(node, error, None)
        for count in rules.counts:
            self._judge_count(node, count)
        if self._is_unanswered(node, rules):
            if rules.asked and rules.required is not None:
                self._judge_required(node, rules, rules.required)
        elif not rules.typed or self._has_its_type(node, rules):
            self._judge_answer(node, rules)
        if rules.calculate is not None and rules.is_replayed:
            self._judge_calculation(node, rules, rules.calculate)

    def _is_unanswered(self, node: Node, rules: Rules) -> bool:
        # What is shown and calculated has its calculation's value, whatever was sent.
        return is_blank(node, self.environment) if rules.asked and rules.is_replayed else not node.text

    def _judge_answer(self, node: Node, rules: Rules) -> None:
        if rules.choices or rules.itemset is not None:
            self._judge_choice(node, rules)
        if rules.asked and rules.constraint is not None:
            self._judge_constraint(node, rules, rules.constraint)

    def _judge_required(self, node: Node, rules: Rules, rule: Expression) -> None:
        reason = self._objection(rule, node, rules, fails_if=True)
        if isinstance(reason, CannotVerify):
            self._doubt(node, reason, rule.text)
        elif reason:
            self._find(node, "required", "required", rule.text, message=rules.field.required_message)

    def _judge_constraint(self, node: Node, rules: Rules, rule: Expression) -> None:
        if is_blank(node, self.environment):
            # JavaRosa blanks what it cannot read, and tests no constraint on a blank.
            return
        reason = self._objection(rule, node, rules, fails_if=False)
        if isinstance(reason, CannotVerify):
            self._doubt(node, reason, rule.text)
        elif reason:
            self._find(node, "constraint", "constraint_broken", rule.text, message=rules.field.constraint_message)

    def _objection(self, rule: Expression, node: Node, rules: Rules, fails_if: bool) -> bool | CannotVerify:
        """Whether a rule speaks against a node; an error where it may, but that is not sure."""
        self.environment.doubt.list_name = None
        try:
            if rule.test(node, self.environment) is not fails_if:
                return False
            self._be_sure(rule, node, rules, fails_if)
        except CannotVerify as error:
            return error
        except RecursionError:
            return CannotVerify("cannot_finish")
        return True

    def _be_sure(self, rule: Expression, node: Node, rules: Rules, fails_if: bool) -> None:
        """Raise CannotVerify where a failing rule may have passed on the tablet."""
        ever = self.lists.ever_uncertain if rules.relevance_reads_lists else None
        uncertain = self.environment.doubt.list_name or ever
        if uncertain is not None:
            raise CannotVerify("list_uncertain", list=uncertain)
        if rule.is_chance or not rules.relevance_is_certain:
            raise CannotVerify("cannot_replay")
        in_doubt = rule.reads_clock and self._is_otherwise_at_another_time(rule, node, fails_if)
        if in_doubt or self._is_hidden_at_another_time(node):
            raise CannotVerify("clock_in_doubt")

    def _is_hidden_at_another_time(self, node: Node) -> bool:
        """Whether the node, or one around it, would not have been asked at another time."""
        rules = [(one, one.shape.rules.relevant) for one in node.chain() if one.shape.rules is not None]
        asked = [(one, rule) for one, rule in rules if rule is not None and rule.reads_clock]
        return any(self._is_otherwise_at_another_time(rule, one, True) for one, rule in asked)

    def _is_otherwise_at_another_time(self, rule: Expression, node: Node, verdict: bool) -> bool:
        known = self.environment.now
        try:
            for moment in self.environment.other_times("today" in rule.uses):
                self.environment.now = moment
                if rule.test(node, self.environment) is not verdict:
                    return True
        finally:
            self.environment.now = known
        return False

    def _has_its_type(self, node: Node, rules: Rules) -> bool:
        if is_plain(node, rules.field.type, self.environment):
            return True
        try:
            parse_value(node.text, rules.field)
        except BadValueError as bad:
            # Collect does not check what it calculates itself, and an officer could not correct it.
            computed = rules.field.kind != "question" or rules.field.calculate is not None
            grade = "warning" if computed else "error"
            self._find(node, "type", bad.code, rules.field.type, grade=grade)
            return False
        return True

    def _judge_choice(self, node: Node, rules: Rules) -> None:
        self.environment.doubt.list_name = None
        try:
            if self._is_offered(node, rules):
                return
        except CannotVerify as error:
            self._doubt(node, error, None)
            return
        if self.environment.doubt.list_name is not None:
            # An entity list changes between filling and arrival: a stale choice is no error by itself.
            self._doubt(node, CannotVerify("list_uncertain", list=self.environment.doubt.list_name), None)
            return
        self._find(node, "choice", "not_a_choice", rules.itemset.text if rules.itemset else None)

    def _is_offered(self, node: Node, rules: Rules) -> bool:
        if rules.membership is not None:
            return bool(rules.membership.nodes(node, self.environment))
        tokens = [node.text] if rules.field.control == "select1" else node.text.split()
        return self._offered(node, rules).issuperset(tokens)

    def _offered(self, node: Node, rules: Rules) -> frozenset[str] | set[str]:
        itemset = rules.field.itemset
        if rules.choices or rules.itemset is None or itemset is None:
            return rules.choices
        if itemset.instance is not None and not itemset.filtered and itemset.instance not in self.form.inline_lists:
            values = self.lists.values_of(itemset.instance, itemset.value_ref)
            if values is not None:
                return values
        return {cell_text(row, itemset.value_ref) for row in rules.itemset.nodes(node, self.environment)}

    def _judge_calculation(self, node: Node, rules: Rules, rule: Expression) -> None:
        self.environment.doubt.list_name = None
        try:
            value = rule.value(node, self.environment)
        except CannotVerify as error:
            self._doubt(node, error, rule.text)
            return
        sure = self.environment.doubt.list_name is None
        if sure and not agrees(value, node.text, rules.field.type, self.environment):
            self._find(node, "calculate", "calculation_differs", rule.text, grade="warning")

    def _judge_count(self, container: Node, count: Count) -> None:
        """As many instances as jr:count asks for; it is read at the repeat, even where there is no instance yet."""
        instances = container.named.get(count.shape.name, [])
        place = instances[0] if instances else Node(count.shape.name, count.shape, "", container)
        try:
            if not is_relevant(place, self.environment):
                return
            wanted = max(to_java_int(count.rule.value(place, self.environment)), 0)
        except CannotVerify as error:
            self._doubt(container, error, count.rule.text)
            return
        if wanted != len(instances):
            params = {"name": count.shape.name, "wanted": str(wanted), "found": str(len(instances))}
            self._find(container, "structure", "repeat_count_differs", count.rule.text, grade="warning", params=params)

    def _find(
        self,
        node: Node,
        kind: FindingKind,
        code: str,
        rule: str | None,
        *,
        grade: str = "error",
        params: dict[str, str] | None = None,
        message: dict[str, str] | None = None,
    ) -> None:
        self.findings.append(
            Finding(
                path=node.path(),
                kind=kind,
                grade="error" if grade == "error" else "warning",
                code=code,
                params=params or {},
                rule=rule,
                value=node.text or None,
                message=message or {},
            )
        )

    def _doubt(self, node: Node, error: FormsError, rule: str | None) -> None:
        params = {name: str(value) for name, value in error.params.items()}
        self._find(node, "unverifiable", error.code, rule, grade="warning", params=params)
