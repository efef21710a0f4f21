"""Forward mode, which is not here: `autograd.functional.jvp` gives its products by walking back twice."""

from __future__ import annotations

from typing import Any

__all__ = ["dual_level", "make_dual", "unpack_dual"]


def _refuse(name: str) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"forward_ad.{name}: not supported; autograd.functional.jvp gives the same products")

    refuse.__name__, refuse.__doc__ = name, "Not supported: `autograd.functional.jvp` gives the same products."
    return refuse


dual_level, make_dual, unpack_dual = (_refuse(name) for name in __all__)
