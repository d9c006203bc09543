"""What broke and where, for the log: never the errors' own words, which may quote what was sent."""

from traceback import format_tb
from types import TracebackType

from flask import Flask, request

_Raised = tuple[type, BaseException, TracebackType] | tuple[None, None, None]


class Application(Flask):
    """Flask, with a quieter log of faults."""

    def log_exception(self, exc_info: _Raised) -> None:
        # Neither the address: it may hold a token, or name a record.
        if exc_info[1] is not None:
            self.logger.error("%s %s broke:\n%s", request.method, request.endpoint, render_fault(exc_info[1]))


def render_fault(error: BaseException) -> str:
    """A traceback that names the kinds of errors only, the cause before what followed from it."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{render_fault(cause)}\nand then:\n" if cause is not None else ""
    return f"{before}{''.join(format_tb(error.__traceback__))}{type(error).__module__}.{type(error).__qualname__}"
