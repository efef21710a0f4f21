"""Speed and memory beside PyTorch, measured in fresh processes that take turns.

`python -m tests.bench [names] [--rounds 5] [--json FILE] [--chart FILE.svg]` measures, and
`python -m tests.bench --write-docs FILE.json` puts the numbers into docs/speed.md.
"""
