"""Imports point downwards only: this walks every file's syntax tree and holds it."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent / "tinygrad_nn"
LAYERS = [
    {"version", "graph", "node_names", "dtypes", "stream", "printing", "return_types", "special_arrays", "bessel_arrays",
     "memory", "memory_order", "sums"},
    {"op", "incomplete", "draws"},
    {"ops", "op_node"},
    {"methods"},
    {"variable"},
    {"numpy_protocol", "generator"},
    {"tensor", "special"},
    {"creation", "in_place", "types", "linalg", "amp", "accelerator", "backends", "cpu", "distributed", "jit", "mps", "runtime",
     "xpu", "_utils"},
    {"random", "ranges", "windows", "foreach", "compiler"},
    {"autograd", "cuda", "lowrank", "signal"},
    {"func"},
    {"utils", "nn"},
    {"optim", "distributions", "serialization"},
    {"vision"},
    {"testing", "viz", "doctor"},
    {"train"},
    {"__init__"},
    {"porting"},
    {"__main__"},
]  # fmt: skip
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}


def imports(tree):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tinygrad_nn":
            parts = (node.module or "").split(".")[1:]
            yield from [parts[0]] if parts else [alias.name for alias in node.names]
        yield from imports(node)


def test_imports_point_downwards():
    for path in ROOT.rglob("*.py"):
        own = path.relative_to(ROOT).with_suffix("").parts[0]
        for other in imports(ast.parse(path.read_text())):
            allowed = RANK[other] < RANK[own] or other == own
            assert allowed, f"{path.relative_to(ROOT)} imports {other}, which is not below it"


def test_no_import_of_the_package_hides_in_a_function():
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                assert not list(imports(node)), f"{path.relative_to(ROOT)}: {node.name} imports the package"


def test_tests_beside_pytorch_skip_without_it():
    for path in (Path(__file__).parent / "parity").glob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None) or ""]
            found = [name for name in names if name.split(".")[0] == "torch"]
            assert not found, f"{path.name}: expected torch = pytest.importorskip('torch') in place of importing {found[0]}"
