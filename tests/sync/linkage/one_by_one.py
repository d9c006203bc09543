"""An engine that weighs a batch's input as single records are weighed: what the real ones are held against."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from sync.linkage.batch import KEYS, RECORDS, Weighed, find_most_common
from sync.linkage.blocking import Key, find_candidates, find_too_common
from sync.linkage.features import Features
from sync.linkage.model import LinkModel
from sync.linkage.score import Scorer


def weigh_one_by_one(folder: Path, model: LinkModel, records: int) -> Iterator[Weighed]:
    cleaned = [Features(**row) for row in pq.read_table(folder / RECORDS).to_pylist()]
    keys = defaultdict[int, list[Key]](list)
    for row in pq.read_table(folder / KEYS).to_pylist():
        keys[row.pop("record_id")].append(Key(**row))
    own = [keys[number] for number in range(records)]
    crowded = find_too_common(own, find_most_common(records))
    scorer = Scorer(model, records)
    for one, other in find_candidates([[key for key in each if key.hash not in crowded] for each in own]):
        bits = scorer.score(cleaned[one], cleaned[other])
        if bits >= model.review_at:
            yield one, other, bits
