"""Functions of functions, as `torch.func`: derivatives, a call for each slice, modules without their state."""

from tinygrad_nn.func.derivatives import functionalize, grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp
from tinygrad_nn.func.stateless import functional_call, stack_module_state
from tinygrad_nn.func.vmap import vmap

__all__ = [
    "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize",
    "stack_module_state", "vjp", "vmap",
]  # fmt: skip
