"""The batch on Spark, for registries that outgrow one machine. Needs `pip install teral[spark]` and Java 17 or later.

Spark reads and writes the folder of batch.py, so all its workers must see it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.dataset as dataset
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession
from splink.backends.spark import SparkAPI, similarity_jar_location

from sync.linkage.batch import KEYS, RECORDS, Weighed, list_rows, predict, render_pairs
from sync.linkage.errors import LinkageRefused
from sync.linkage.model import LinkModel

PAIRS = "pairs.parquet"
# What a small set needs; whoever has a cluster says more, and otherwise, by the settings given.
_DEFAULTS = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "8",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
    # A comparison has up to 126 cells: merged with the weights of each they would be more than a heap holds.
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.CollapseProject",
    "spark.sql.codegen.wholeStage": "false",
}


def weigh_with_spark(
    folder: Path, model: LinkModel, records: int, master: str, settings: Mapping[str, str]
) -> Iterator[Weighed]:
    """What weigh_with_duckdb finds, by the Spark at `master`, whose own `settings` are; LinkageRefused without Java."""
    if not records:
        return
    with _session(folder, master, settings) as session:
        for name, file in (("link_records", RECORDS), ("link_keys", KEYS)):
            session.read.parquet(str(folder / file)).createOrReplaceTempView(name)
        session.sql(render_pairs(records)).createOrReplaceTempView("link_pairs")
        api = SparkAPI(spark_session=session, break_lineage_method="parquet")
        # For the same reason the floor is no part of the query, where it would be merged into the join.
        weighed = predict(api, session.sql, model, records, None).as_spark_dataframe()
        weighed.select("record_id_l", "record_id_r", "match_weight").write.parquet(str(folder / PAIRS))
    heavy = dataset.field("match_weight") >= model.review_at
    yield from list_rows(dataset.dataset(folder / PAIRS, format="parquet").to_batches(filter=heavy))


@contextmanager
def _session(folder: Path, master: str, settings: Mapping[str, str]) -> Iterator[Any]:
    builder = SparkSession.builder.master(master).appName("teral link run")
    own = {"spark.jars": similarity_jar_location(), "spark.sql.warehouse.dir": str(folder / "warehouse")}
    for name, value in {**_DEFAULTS, **own, **settings}.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except PySparkRuntimeError:
        # Spark's own words are about a gateway; those of the Java that was tried stand on standard error.
        raise LinkageRefused("link_spark_java") from None
    try:
        session.sparkContext.setLogLevel("ERROR")
        session.sparkContext.setCheckpointDir(str(folder / "checkpoints"))
        yield session
    finally:
        session.stop()
