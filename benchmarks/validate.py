"""How fast records are judged: python -m benchmarks.validate

Invented forms: 60 questions with 108 rules; 500 questions, 40 of them in a repeat that is filled 40 times. Each figure
is the best of several runs, XML reading included, by the processor time of one core and by the clock on the wall.
Where there is a Java compiler, the engine inside ODK Collect judges the same records in the same run, through the
driver of tests/oracle.
"""

import argparse
import gc
import resource
import shutil
import time
from collections.abc import Callable

import regex

from forms.compiled import compile_form
from forms.definition import FormDefinition
from forms.lists import HeldLists
from forms.submission import parse_submission
from forms.validation import validate_submission
from forms.xform import parse_form
from forms.xpath.patterns import compile_pattern

LISTS = HeldLists()
WARM_UP = 2_000
HEAD = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
 xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>B</h:title><model><instance><data id="b" version="1">"""
# Type, constraint and honest answer: five kinds of question, in turn. No two rules are the same text.
KINDS = (
    ("int", ". &gt;= 0 and . &lt;= {0}120", "42"),
    ("string", "regex(., '[A-Z][a-z]+|x{0}') and string-length(.) &lt; 4{0}", "Fatou"),
    ("date", ". &lt;= date('2026-12-31') and format-date(., '%Y') &gt; 1{0}", "2026-02-03"),
    ("decimal", ". + {1} &gt; 0.5 or . = 12.{0}", "12.5"),
    ("string", "selected(., 'a') or count-selected(.) &gt; 1{0}", "a c"),
)


def question(base: str, index: int) -> tuple[str, str]:
    """The bind and the honest answer of a question: a constraint, and relevance after the question before."""
    kind, constraint, answer = KINDS[index % 5]
    before = f"{base}/q{max(index - 1, 0)}"
    relevant = f" relevant=\"{before} != ''\"" if index % 5 else ""
    rule = constraint.format(index, before)
    return f'<bind nodeset="{base}/q{index}" type="{kind}"{relevant} constraint="{rule}"/>', answer


def names(count: int) -> str:
    return "".join(f"<q{index}/>" for index in range(count))


def answers(count: int) -> str:
    return "".join(f"<q{index}>{question('', index)[1]}</q{index}>" for index in range(count))


def controls(base: str, count: int) -> str:
    return "".join(f'<input ref="{base}/q{index}"/>' for index in range(count))


def form_of(outside: int, inside: int = 0, instances: int = 0) -> tuple[bytes, bytes]:
    """A form with so many questions outside and inside a repeat, and a filled record."""
    rules = [question("/data", index)[0] for index in range(outside)]
    rules += [question("/data/r", index)[0] for index in range(inside)]
    repeat = f'<group ref="/data/r"><repeat nodeset="/data/r">{controls("/data/r", inside)}</repeat></group>'
    body = controls("/data", outside) + (repeat if inside else "")
    instance = names(outside) + (f"<r>{names(inside)}</r>" if inside else "")
    form = f"{HEAD}{instance}</data></instance>{''.join(rules)}</model></h:head><h:body>{body}</h:body></h:html>"
    record = f'<data id="b" version="1">{answers(outside)}{f"<r>{answers(inside)}</r>" * instances}</data>'
    return form.encode(), record.encode()


def best_of(runs: int, times: int, work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Seconds that the work takes, at its best, by a clock: process_time counts one core's work, whoever else runs."""
    best = float("inf")
    for _ in range(runs):
        started = clock()
        for _ in range(times):
            work()
        best = min(best, (clock() - started) / times)
    return best


def judge(definition: FormDefinition, record: bytes) -> None:
    found = validate_submission(definition, parse_submission(record), LISTS)
    assert not found, found[0]


def count_rules(definition: FormDefinition) -> int:
    return sum(bool(one.relevant) + bool(one.constraint) for one in definition.fields)


def measure(name: str, xml: bytes, record: bytes, times: int) -> None:
    definition = parse_form(xml)
    judge(definition, record)
    seconds = best_of(5, times, lambda: judge(definition, record))
    wall = best_of(5, times, lambda: judge(definition, record), time.perf_counter)
    figures = f"{seconds * 1e6:,.0f} µs of a core a record ({wall * 1e6:,.0f} µs on the wall)"
    print(f"{name}: {count_rules(definition)} rules, {figures}, {1 / seconds:,.0f} records/s a core")


def measure_compiling(xml: bytes) -> None:
    definition = parse_form(xml)

    def forget() -> None:
        definition.derived.clear()
        compile_pattern.cache_clear()
        regex.purge()
        # A form is compiled once in the life of a process: what earlier runs leave behind is not its garbage.
        gc.collect()

    seconds = float("inf")
    for _ in range(15):
        forget()
        seconds = min(seconds, best_of(1, 1, lambda: compile_form(definition)))
    print(f"compiling 500 questions: {seconds * 1e3:.1f} ms")


def measure_memory(xml: bytes, record: bytes, count: int) -> None:
    """How far the process grows over many records without the collector's help, and what that would find."""
    definition = parse_form(xml)
    for _ in range(WARM_UP):
        judge(definition, record)
    gc.collect()
    gc.disable()
    before = highest_memory()
    for _ in range(count):
        judge(definition, record)
    grown = highest_memory() - before
    gc.enable()
    print(f"memory: {grown:,} KB more after {count:,} records; the collector finds {gc.collect():,} objects")


def highest_memory() -> int:
    """The most memory that this process has held so far, in KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure_javarosa(name: str, xml: bytes, record: bytes) -> None:
    """The same record by JavaRosa, form parsing included: its driver keeps no form."""
    from tests.oracle.client import Oracle

    oracle = Oracle()
    form, submission = xml.decode(), record.decode()
    seconds = best_of(5, 3, lambda: oracle.validate(form, submission), time.perf_counter)
    oracle.close()
    print(f"{name} by JavaRosa: {seconds * 1e3:.1f} ms a record, form included")


def measure_machine() -> None:
    """What a million additions take here and now: the figures of two runs compare by it alone."""
    seconds = best_of(5, 1, lambda: sum(number for number in range(1_000_000)))
    print(f"this machine, now: {seconds * 1e3:.0f} ms for a million additions")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--records", type=int, default=20_000, help="how many records have to leave no memory behind")
    records = options.parse_args().records
    measure_machine()
    small, large = form_of(60), form_of(460, inside=40, instances=40)
    measure("60 questions", *small, times=300)
    measure("500 questions, 40 instances", *large, times=10)
    measure_compiling(form_of(500)[0])
    measure_memory(*small, records)
    if shutil.which("javac"):
        measure_javarosa("60 questions", *small)
        measure_javarosa("500 questions, 40 instances", *large)


if __name__ == "__main__":
    main()
