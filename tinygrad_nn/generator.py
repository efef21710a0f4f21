"""Generator: PyTorch's CPU random stream, whose states are tensors; the arithmetic of the draws is in `stream` and `draws`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_nn.draws import Draws
from tinygrad_nn.dtypes import device as place
from tinygrad_nn.dtypes import uint8
from tinygrad_nn.variable import Variable, wrap

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor


class Generator(Draws):
    """A stream of random numbers: torch.Generator on the CPU, with the draws as methods that give arrays.

    >>> generator = Generator().manual_seed(0)
    >>> state = generator.get_state()
    >>> generator.random32() == generator.set_state(state).random32()
    True
    """

    def __init__(self, device: Any = "cpu") -> None:
        if place(device or "cpu").type != "cpu":
            raise RuntimeError(f"Generator expects device 'cpu', got {str(device)!r}")
        super().__init__()

    @property
    def device(self) -> place:
        """The CPU."""
        return place("cpu")

    def get_state(self) -> Tensor:
        """All that the draws to come depend on: uint8 (5056,), the bytes that torch.Generator gives."""
        state: Tensor = wrap(self.state())
        return state

    def set_state(self, new_state: Tensor) -> Generator:
        """Continue from what get_state gave, here or in PyTorch; TypeError for what is no uint8 tensor, RuntimeError for others."""
        if not isinstance(new_state, Variable) or new_state.dtype != uint8:
            kind = getattr(new_state, "dtype", type(new_state).__name__)
            raise TypeError(f"set_state: RNG state must be a torch.ByteTensor, got {kind}")
        return self.restore(new_state._data)

    def clone_state(self) -> Generator:
        """A generator that stands where this one stands, and goes its own way from here."""
        return Generator().restore(self.state())


default_generator = Generator()
default_generator.seed()  # each process begins elsewhere until it is seeded, as in PyTorch
