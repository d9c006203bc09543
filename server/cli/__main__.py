"""`python -m server.cli` is the command `teral`."""

from server.cli import main

main()
