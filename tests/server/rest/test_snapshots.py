"""What is kept of exports: for a day, in a folder that others clear at the same time."""

import os
import time
from pathlib import Path

from flask import Flask

from server.rest.snapshots import KEPT_S, spare_folder


def test_what_is_older_than_a_day_goes(app: Flask) -> None:
    folder = spare_folder()
    for name, age in (("old", KEPT_S + 60), ("young", KEPT_S - 60)):
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age, time.time() - age))
    assert [one.name for one in spare_folder().iterdir()] == ["young"]


def test_a_file_that_vanishes_meanwhile_stops_no_export(app: Flask, tmp_path: Path) -> None:
    folder = spare_folder()
    # It is listed, and not there when it is looked at: what a temporary file of a workbook may do.
    (folder / "vanished").symlink_to(tmp_path / "nowhere")
    assert spare_folder() == folder
