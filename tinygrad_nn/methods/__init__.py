"""Functions whose first argument is a tensor, in PyTorch's spelling, composed from the primitives.

Each is `torch.name(input, ...)` as it stands and `Tensor.name` by being named in the class body of Tensor.
They know the primitives, not the class.
"""
