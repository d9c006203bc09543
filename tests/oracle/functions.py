"""The table of functions: what JavaRosa answers to some 1,100 expressions over one filled form.

`python -m tests.oracle.functions` asks JavaRosa again and rewrites the answers: to add a row, write its group, context
and expression, and run it. The engine's own table test reads the same file and needs no Java. What depends on the zone
of the tablet stands a second time in a table of its own, for a zone far from Greenwich.
"""

import csv
from pathlib import Path
from typing import NamedTuple

from tests.oracle.client import Answer, Oracle

FOLDER = Path(__file__).parents[1] / "forms" / "xpath"
TABLE = FOLDER / "functions.csv"
FAR_TABLE = FOLDER / "functions_far.csv"
FAR_ZONE = "Asia/Kolkata"  # +05:30 all year
FORM = FOLDER / "functions_form.xml"
SUBMISSION = FOLDER / "functions_submission.xml"


class Row(NamedTuple):
    """One expression at one node, and JavaRosa's answer.

    `type` is string, number, boolean, date, error or syntax error; the rest is empty for the last two. `value` is the
    answer as text (a date with its time), `number` and `boolean` what the answer turns into where one is needed.
    """

    group: str
    context: str
    expression: str
    type: str = ""
    value: str = ""
    number: str = ""
    boolean: str = ""


def read_table(table: Path = TABLE) -> list[Row]:
    with table.open(encoding="utf-8", newline="") as lines:
        return [Row(**row) for row in csv.DictReader(lines)]


def write_table(rows: list[Row], table: Path = TABLE) -> None:
    with table.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(rows)


def ask_table(oracle: Oracle, rows: list[Row], zone: str = "UTC") -> list[Row]:
    """The same rows with JavaRosa's answers of today."""
    form, submission = FORM.read_text(encoding="utf-8"), SUBMISSION.read_text(encoding="utf-8")
    answers = oracle.evaluate(form, submission, [(row.expression, row.context) for row in rows], zone)
    return [_answered(row, answer) for row, answer in zip(rows, answers, strict=True)]


def _answered(row: Row, answer: Answer) -> Row:
    question = Row(row.group, row.context, row.expression, answer["type"])
    if "error" in answer:
        return question
    return question._replace(value=answer["string"], number=answer["number"], boolean=str(answer["boolean"]).lower())


def main() -> None:
    oracle = Oracle()
    write_table(ask_table(oracle, read_table()))
    write_table(ask_table(oracle, read_table(FAR_TABLE), FAR_ZONE), FAR_TABLE)
    oracle.close()


if __name__ == "__main__":
    main()
