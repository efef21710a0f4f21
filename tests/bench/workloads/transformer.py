"""A character model: two transformer layers 64 wide with four heads, causal; a training step."""

from __future__ import annotations

from typing import Any

from tests.bench.workload import Step

NAME = "transformer"
SIZES = {"batch 16 x 64": {"batch": 16, "length": 64}}
LINES = {("batch 16 x 64", "step"): 1.2}
LETTERS, WIDTH, HEADS = 65, 64, 4


def build(torch: Any, batch: int, length: int) -> Step:
    nn, F = torch.nn, torch.nn.functional

    class Block(nn.Module):
        """Attention, then a network for each place, each added to what came in."""

        def __init__(self) -> None:
            super().__init__()
            self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.inner = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

        def forward(self, x: Any) -> Any:
            q, k, v = (
                part.view(batch, length, HEADS, WIDTH // HEADS).transpose(1, 2)
                for part in self.qkv(self.before(x)).split(WIDTH, dim=2)
            )
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, WIDTH))
            return x + self.inner(self.between(x))

    letters, places = nn.Embedding(LETTERS, WIDTH), nn.Embedding(length, WIDTH)
    blocks = nn.Sequential(Block(), Block(), nn.LayerNorm(WIDTH), nn.Linear(WIDTH, LETTERS))
    optimizer = torch.optim.SGD([p for module in (letters, places, blocks) for p in module.parameters()], lr=0.1)
    x, y = torch.randint(0, LETTERS, (batch, length)), torch.randint(0, LETTERS, (batch, length))
    order = torch.arange(length)

    def step() -> None:
        scores = blocks(letters(x) + places(order))
        optimizer.zero_grad()
        F.cross_entropy(scores.view(batch * length, LETTERS), y.view(batch * length)).backward()
        optimizer.step()

    return step
