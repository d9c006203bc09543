"""What the engine says when it will not, or cannot, evaluate an expression. Worded in forms/messages.py."""

from forms.errors import FormsError


class XPathRefused(FormsError):
    """An expression that JavaRosa would refuse too: the form would not open, or fail, on the tablet."""


class CannotVerify(FormsError):
    """The verdict of an expression is not known here. Never to be read as true or as false."""
