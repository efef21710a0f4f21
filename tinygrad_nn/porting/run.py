"""A script run as Python runs it, with this package where it imports PyTorch."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType, TracebackType

from tinygrad_nn.porting.finder import install

__all__ = ["ScriptError", "compiled", "run"]


_HERE = os.path.dirname(__file__) + os.sep


class ScriptError(Exception):
    """A script that cannot be read: one line to show."""


def source(path: str) -> bytes:
    """The bytes of the script; ScriptError if it cannot be read."""
    try:
        with io.open_code(os.path.abspath(path)) as file:
            return file.read()
    except OSError as error:
        raise ScriptError(f"{path}: expected a Python script, got: {error.strerror}") from None


def compiled(path: str) -> CodeType:
    """The script's code; ScriptError, in one line, for one that is not Python."""
    try:
        return compile(source(path), os.path.abspath(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise ScriptError(f"{path}:{error.lineno or 1}: expected Python, got: {error.msg}") from None
    except ValueError as error:  # null bytes, on older Pythons
        raise ScriptError(f"{path}: expected Python, got: {error}") from None


def run(path: str, arguments: Sequence[str] = ()) -> int:
    """Run the script as `__main__` with its arguments in sys.argv; 1 if it ends in an exception, which is shown."""
    code = compiled(path)
    main = ModuleType("__main__")
    main.__file__ = os.path.abspath(path)
    vars(main).update(__builtins__=__builtins__, __loader__=SourceFileLoader("__main__", main.__file__), __cached__=None)
    sys.modules["__main__"] = main
    sys.argv = [path, *arguments]
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    install()
    try:
        exec(code, vars(main))
    except Exception as error:
        trace = _without_porting(error.__traceback__)
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 1
    return 0


def _without_porting(trace: TracebackType | None) -> TracebackType | None:
    """The traceback as the script would have it: without the lines of this folder, which run it and find its imports."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_HERE):
        trace = trace.tb_next
    if trace is not None:
        trace.tb_next = _without_porting(trace.tb_next)
    return trace
