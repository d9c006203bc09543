"""names heard anew.

Camara is heard as Kamara, and no longer as a name of Cham's; Sidibeh as Sidibé. What a model learnt of the one and of the
other stands for both, and it gets another version; then each model that reads records reads them once more. Which keys
are too common to be looked up is hashed and stays as it was until a model is trained again.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from sync.linkage.names import consonants, sound

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

# As consonants, after the start or in the name of a mother, and as they sound. Cham itself keeps its first letter.
_HEARD_BEFORE = re.compile(r"\bc(?=m[a-z]|am[a-z])")
_HEARD_NOW = re.compile(r"\bk(?=m[a-z]|am[a-z])")
_AT_ONCE = 5_000
_READ = sa.text("SELECT id, model_id, features FROM link_identities WHERE id > :after ORDER BY id LIMIT :most").columns(
    id=sa.Integer, model_id=sa.Integer, features=sa.LargeBinary
)
_EVENTS = sa.table(
    "audit_events",
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("action", sa.String),
    sa.column("target", sa.String),
    sa.column("details", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")),
)
_FORGET = sa.text("DELETE FROM link_words WHERE model_id = :model_id AND word = :word AND identity_id = :id")


def upgrade() -> None:
    _rewrite(2, 3, _hear_anew)
    _forget_words(_list_older)
    # Which records are decided together follows another rule from here on.
    op.execute("UPDATE link_progress SET decided_to = 0, cause = 'model' WHERE records > 0")


def downgrade() -> None:
    _rewrite(3, 2, _hear_both)
    _forget_words(_list_newer)


def _forget_words(list_words: Callable[[str], Iterator[str]]) -> None:
    """Words that nobody would find to forget: a record that is read anew forgets those that its names give by now."""
    connection, after = op.get_bind(), 0
    while rows := connection.execute(_READ, {"after": after, "most": _AT_ONCE}).all():
        gone = [
            {"model_id": row.model_id, "word": word, "id": row.id}
            for row in rows
            for family_name in (json.loads(row.features)[0] or "").split()
            for word in list_words(family_name)
        ]
        if gone:
            connection.execute(_FORGET, gone)
        after = rows[-1].id


def _list_older(name: str) -> Iterator[str]:
    """What a family name was found by before and is not found by now."""
    heard = sound(name)
    if _is_camara(name, heard):
        yield from ("nc" + consonants(heard)[1:], "bca")
    if name.endswith("beh"):
        yield "n" + consonants(heard)[:-1] + "b"


def _list_newer(name: str) -> Iterator[str]:
    heard = sound(name)
    if _is_camara(name, heard):
        yield from ("n" + consonants(heard), "bka")
    if name.endswith("beh"):
        yield "n" + consonants(heard)


def _is_camara(name: str, heard: str) -> bool:
    return name.startswith("c") and heard.startswith("kam")


def _rewrite(edition: int, other: int, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the models of an edition, name each by what it says now, and let those that read records read anew."""
    connection = op.get_bind()
    for row in connection.execute(sa.text("SELECT id, version, content FROM link_models ORDER BY id")).all():
        model = json.loads(row.content)
        if model["teral"]["edition"] == edition:
            change(model["teral"])
            model["teral"]["edition"] = other
            _weigh_rarity(model)
            text = json.dumps(model, ensure_ascii=False, sort_keys=True, indent=1)
            named = {"id": row.id, "content": text, "version": hashlib.sha256(text.encode()).hexdigest()[:16]}
            connection.execute(
                sa.text("UPDATE link_models SET content = :content, version = :version WHERE id = :id"), named
            )
            _tell(row.id, row.version, named["version"])
    op.execute("UPDATE link_models SET filled_to = 0 WHERE kept")


def _tell(model_id: int, before: str, after: str) -> None:
    """Write into the journal which version became which: decisions go on naming the one that was shown with them."""
    versions = {"before": before, "after": after}
    event = {"at": datetime.now(UTC), "action": "link_model.rewritten", "target": f"link_model:{model_id}"}
    op.get_bind().execute(_EVENTS.insert(), event | {"details": versions})


def _weigh_rarity(model: dict[str, Any]) -> None:
    """How likely two random records agree on a name follows from the shares."""
    learnt = model["teral"]
    for comparison in model["comparisons"]:
        column = comparison["output_column_name"].removesuffix("_rarity")
        if column in learnt["frequencies"]:
            shares = [share for _, share in sorted(learnt["frequencies"][column].items())]
            usual = sum(share * share for share in shares) + max(0.0, 1 - sum(shares)) * learnt["rarest"][column]
            for level, chance in zip(
                comparison["comparison_levels"], (usual, min(max(1 - usual, 1e-9), 1.0)), strict=True
            ):
                level["m_probability"] = level["u_probability"] = chance


def _hear_anew(learnt: dict[str, Any]) -> None:
    """Shares and counts of names that are one now are added up: a common name must not pass for a rare one."""
    learnt["frequencies"] = {column: _add_shares(table) for column, table in learnt["frequencies"].items()}
    order: dict[str, list[int]] = {}
    for name, counts in learnt["name_order"].items():
        heard = _HEARD_BEFORE.sub("k", name)
        order[heard] = [sum(pair) for pair in zip(order.get(heard, (0, 0)), counts, strict=True)]
    learnt["name_order"] = order


def _add_shares(table: dict[str, float]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for name, share in table.items():
        heard = _HEARD_BEFORE.sub("k", name)
        shares[heard] = shares.get(heard, 0.0) + share
    return shares


def _hear_both(learnt: dict[str, Any]) -> None:
    """How much of it belongs to which of two spellings is not known any more: each gets half."""
    for table in learnt["frequencies"].values():
        for name in [name for name in table if _HEARD_NOW.search(name)]:
            table[name] = table[_HEARD_NOW.sub("c", name)] = table[name] / 2
    order = learnt["name_order"]
    for name in [name for name in order if _HEARD_NOW.search(name)]:
        counts = order[name]
        order[name] = [(count + 1) // 2 for count in counts]
        order[_HEARD_NOW.sub("c", name)] = [count // 2 for count in counts]
