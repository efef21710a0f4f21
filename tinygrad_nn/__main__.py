"""`python -m tinygrad_nn script.py`: a PyTorch script run with this package, or checked against it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tinygrad_nn.porting import check, run
from tinygrad_nn.porting.run import ScriptError

USAGE = """usage: python -m tinygrad_nn SCRIPT [ARGUMENT ...]
       python -m tinygrad_nn --check SCRIPT [SCRIPT ...]

Run a PyTorch script unchanged: `torch` and `torchvision` are tinygrad_nn while it runs.
With --check, read it instead, and list each name of PyTorch's in it that is not here; exit with 1 if there is one."""


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; the exit code."""
    first, rest = (arguments[0], arguments[1:]) if arguments else ("", ())
    try:
        if first in ("-h", "--help"):
            print(USAGE)
            return 0
        if first == "--check" and rest:
            return max([_check(path) for path in rest])
        if not first or first.startswith("-"):
            what = "a script to check" if first == "--check" else f"a script, got {first}" if first else "a script"
            raise ScriptError(f"expected {what}; --help shows how")
        return run(first, rest)
    except ScriptError as error:
        print(f"tinygrad_nn: {error}", file=sys.stderr)
        return 2


def _check(path: str) -> int:
    used, absent = check(path)
    for line, sentence in absent:
        print(f"{path}:{line}: {sentence}")
    if not absent:
        print(f"{path}: all {used} names of PyTorch's in it are here" if used else f"{path}: no name of PyTorch's in it")
    return 1 if absent else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
