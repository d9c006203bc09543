"""The command `teral`: groups are one file each; this file only gathers them."""

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Teral, an offline-first field data collection server."""
