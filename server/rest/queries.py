"""What programs ask for behind the `?` of an address: its kinds of value, and the shapes that several views share."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields, missing, pre_load

from server.rest.problems import Problem
from server.rest.shapes import Shape


class Text(fields.String):
    """Any text."""

    def __init__(self, words: str, *, default: str | None = None, **given: Any) -> None:
        super().__init__(load_default=missing if default is None else default, metadata={"description": words}, **given)


class Flag(fields.Boolean):
    """`true` and `false` in any writing, since pyodk says `True`; whatever else is said changes nothing."""

    def __init__(self, words: str, *, default: bool = False, **given: Any) -> None:
        super().__init__(load_default=default, metadata={"description": words}, **given)

    def _deserialize(self, value: str, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> bool:
        return {"true": True, "false": False}.get(value.lower(), bool(self.load_default))


class Count(fields.Integer):
    """A whole number from 0 on."""

    def __init__(self, words: str, *, required: bool = False, default: int | None = None, **given: Any) -> None:
        told = {"description": words, "minimum": 0}
        absent = missing if default is None else default
        super().__init__(required=required, load_default=absent, metadata=told, **given)

    def _deserialize(self, value: str, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> int:
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            raise ValidationError(">= 0")
        return int(value)


class Instant(fields.DateTime):
    """A time, in UTC where it names no zone."""

    def __init__(self, words: str) -> None:
        super().__init__(metadata={"description": words})

    def _deserialize(self, value: str, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError("ISO 8601") from error


class PartQuery(Shape):
    """A part of a list."""

    offset = Count("How many are left out at the beginning.", default=0)
    limit = Count("How many there are at most.")


class PageQuery(PartQuery):
    deleted = Flag("true: those that are deleted, instead of those that are not.")


class TabletQuery(Shape):
    device_id = Text("The tablet, or the program's installation, that sends.", data_key="deviceID")


class FieldsQuery(Shape):
    odata = Flag("true: names as OData has them.")


class FormatQuery(Shape):
    format = Text("`json` or `xml`, before what the header Accept says.", data_key="$format")


class TableQuery(Shape):
    """The options of OData that are answered, besides $format; others that begin with `$` are refused."""

    filter = Text("Which rows: `fruit eq 'mango' and __system/submissionDate ge 2026-01-01`.", data_key="$filter")
    select = Text("Which columns, separated by commas, or `*`.", default="*", data_key="$select")
    expand = Text("`*`: what repeats is told inside of each row.", data_key="$expand")
    orderby = Text("The columns to order by, each with `asc` or `desc` behind it.", data_key="$orderby")
    search = Text("Words that a row must have.", data_key="$search")
    top = Count("How many rows there are at most; where more follow, @odata.nextLink leads to them.", data_key="$top")
    skip = Count("How many rows are left out at the beginning.", default=0, data_key="$skip")
    skiptoken = Text("Where to go on: out of @odata.nextLink.", data_key="$skiptoken")
    count = Flag("true: @odata.count tells how many rows there are on all pages.", data_key="$count")

    @pre_load
    def refuse_what_is_not_answered(self, told: Mapping[str, str], **_: Any) -> Mapping[str, str]:
        known = {"$format", *(one.data_key for one in self.fields.values())}
        for name in told:
            if name.startswith("$") and name not in known:
                raise Problem(501.1, feature=name)
        if "$orderby" in told and "$skiptoken" in told:
            raise Problem(501.1, feature="$orderby with $skiptoken")
        if told.get("$expand", "*") not in ("", "*"):
            raise Problem(501.6, text=told["$expand"])
        if told.get("$expand") == "*" and told.get("$select", "*") != "*":
            raise Problem(501.11)
        return told
