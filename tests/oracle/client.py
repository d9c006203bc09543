"""Talk to JavaRosa: compile Oracle.java once, keep its process, ask it one JSON line at a time.

The engine itself comes in pyxform's wheel (ODK_Validate.jar). A compiler must be on the machine: see `missing_tools`.
"""

import hashlib
import json
import queue
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

import pyxform

JAR = Path(pyxform.__file__).parent / "validators" / "odk_validate" / "bin" / "ODK_Validate.jar"
SOURCES = [Path(__file__).with_name(name) for name in ("Oracle.java", "SHA256Digest.java")]
ANSWER_SECONDS = 30.0
# The words of format-date and the last-resort charset come from the machine; a test's must not.
JVM_OPTIONS = ("-Xmx512m", "-Xss4m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8",
               "-Duser.language=en", "-Duser.country=US", "-Duser.timezone=UTC")  # fmt: skip

Answer = dict[str, Any]


class OracleError(Exception):
    """The oracle could not answer; its words say why."""


def missing_tools() -> str | None:
    """Say what is missing to ask JavaRosa, or None."""
    absent = [tool for tool in ("java", "javac") if shutil.which(tool) is None]
    if not absent:
        return None
    return f"NOT COMPARED WITH JAVAROSA: no {' and no '.join(absent)} here; install Debian's default-jdk-headless"


class Oracle:
    """One JavaRosa process. A question that takes too long ends the process; the next one starts another."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()
        self._media = tempfile.TemporaryDirectory(prefix="teral-oracle-media-")

    def ask(self, question: dict[str, object], seconds: float = ANSWER_SECONDS) -> Answer:
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        try:
            answer: Answer = json.loads(self._answers.get(timeout=seconds))
        except queue.Empty:
            self._stop()
            return {"error": f"no answer within {seconds} s"}
        return answer

    def validate(self, form_xml: str, submission_xml: str, media: dict[str, str] | None = None, zone: str = "UTC",
                 seconds: float = ANSWER_SECONDS) -> Answer:  # fmt: skip
        return self.ask({"command": "validate", "form_xml": form_xml, "submission_xml": submission_xml,
                         "media": media or {}, "zone": zone}, seconds)  # fmt: skip

    def open(self, form_xml: str, media: dict[str, str] | None = None) -> Answer:
        """Open a blank record: an `error` says why a tablet would not."""
        return self.ask({"command": "open", "form_xml": form_xml, "media": media or {}})

    def evaluate(self, form_xml: str, submission_xml: str | None, expressions: list[tuple[str, str]],
                 zone: str = "UTC", media: dict[str, str] | None = None) -> list[Answer]:  # fmt: skip
        """Evaluate (expression, context path) pairs over one filled form."""
        answer = self.ask({
            "command": "eval", "form_xml": form_xml, "submission_xml": submission_xml, "zone": zone,
            "media": media or {},
            "expressions": [{"expression": text, "context": context} for text, context in expressions],
        })  # fmt: skip
        if "error" in answer:
            raise OracleError(answer["error"])
        results: list[Answer] = answer["results"]
        return results

    def close(self) -> None:
        self._stop()
        self._media.cleanup()

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        return self._process

    def _start(self) -> "subprocess.Popen[str]":
        classes = compile_driver()
        process = subprocess.Popen(
            ["java", *JVM_OPTIONS, "-cp", f"{classes}:{JAR}", "Oracle", self._media.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
        )  # fmt: skip
        self._answers = queue.Queue()
        assert process.stdout is not None
        threading.Thread(target=_forward, args=(process.stdout, self._answers), daemon=True).start()
        return process

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process = None


def _forward(lines: IO[str], answers: "queue.Queue[str]") -> None:
    try:
        for line in lines:
            answers.put(line)
    except ValueError:
        return  # closed under our hands by _stop


def compile_driver() -> Path:
    """Compile the driver into a folder named by what it is made of, once per machine."""
    made_of = hashlib.sha256(b"".join(one.read_bytes() for one in [*SOURCES, JAR])).hexdigest()[:16]
    classes = Path(tempfile.gettempdir()) / f"teral-oracle-{made_of}"
    if (classes / "Oracle.class").exists():
        return classes
    fresh = Path(tempfile.mkdtemp(prefix="teral-oracle-build-"))
    done = subprocess.run(
        ["javac", "-nowarn", "-proc:none", "-cp", str(JAR), "-d", str(fresh), *map(str, SOURCES)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise OracleError(done.stderr)
    classes.mkdir(mode=0o700, exist_ok=True)
    # Oracle.class comes last: it is what tells another test process that the folder is complete.
    for made in sorted(fresh.iterdir(), key=lambda file: file.name == "Oracle.class"):
        made.replace(classes / made.name)
    fresh.rmdir()
    return classes
