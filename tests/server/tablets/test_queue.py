from datetime import UTC, datetime, timedelta

from lxml import etree

from server.tablets.filler import Filled
from server.tablets.queue import Queue, Record

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def record(minutes: int) -> Record:
    root = etree.Element("data")
    return Record("f", Filled(f"uuid:{minutes}", b"", root, root, {}), b"<data/>", NOW + timedelta(minutes=minutes))


def test_oldest_record_waits_first_and_sent_ones_wait_no_more() -> None:
    queue = Queue(records=[record(2), record(1), record(0)])
    queue.records[2].state = "sent"
    assert [one.instance_id for one in queue.list_waiting()] == ["uuid:1", "uuid:2"]
    assert [one.instance_id for one in queue.list_sent()] == ["uuid:0"]


def test_file_is_named_after_form_and_time() -> None:
    assert record(0).xml_name == "f_2026-03-02_09-30-00.xml"
