"""Every Python block in the README and the guides runs, block after block, and prints what the text says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from tinygrad_nn.op import OPS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").glob("*.md") if path.name != "design.md")]
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run_and_print_what_is_shown(page):
    known = dict(OPS)
    namespace = {"__name__": page.stem}
    blocks = BLOCK.findall(page.read_text())
    assert blocks
    try:
        for source, expected in blocks:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(source, str(page), "exec"), namespace)
            if expected:
                assert printed.getvalue() == expected
    finally:
        OPS.clear()
        OPS.update(known)
