"""Lessons as tutorials teach them, each a function of `torch` and a folder that gives the numbers it would print."""

import itertools
import math
import os

import numpy as np

from tests.parity.programs import LETTERS, NAMES, ngram_dataset


def moons(torch, _):
    """micrograd's demo: a support vector machine of two moons, with tensors."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, math.pi, 100)
    side = np.arange(100) % 2
    points = np.stack([np.cos(angle) * (1 - 2 * side) + side, np.sin(angle) * (1 - 2 * side) + 0.5 * side], 1)
    X, y = torch.tensor(points + rng.normal(0, 0.1, (100, 2))).float(), torch.tensor(side * 2 - 1)
    sizes = [2, 16, 16, 1]
    weights = [torch.empty(a, b).uniform_(-1, 1).requires_grad_() for a, b in itertools.pairwise(sizes)]
    biases = [torch.zeros(b, requires_grad=True) for b in sizes[1:]]
    found = []
    for k in range(30):
        out = X
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            out = out @ w + b
            out = out.relu() if i < 2 else out
        scores = out.squeeze()
        data_loss = (1 + -y * scores).relu().mean()
        total = data_loss + 1e-4 * sum((p * p).sum() for p in [*weights, *biases])
        accuracy = ((y > 0) == (scores > 0)).float().mean()
        for p in [*weights, *biases]:
            p.grad = None
        total.backward()
        with torch.no_grad():
            for p in [*weights, *biases]:
                p -= (1.0 - 0.9 * k / 30) * 0.1 * p.grad
        found += [total.item(), accuracy.item()]
    return found


def bigrams(torch, _):
    """makemore, part 1: counts, then a network of one layer."""
    itos = {i: s for s, i in LETTERS.items()}
    N = torch.zeros((27, 27), dtype=torch.int32)
    for name in NAMES:
        letters = [".", *name, "."]
        for a, b in itertools.pairwise(letters):
            N[LETTERS[a], LETTERS[b]] += 1
    P = (N + 1).float()
    P /= P.sum(1, keepdim=True)
    g = torch.Generator().manual_seed(2147483647)
    found, log_likelihood, n = [], 0.0, 0
    for _ in range(5):
        out, ix = [], 0
        while True:
            ix = torch.multinomial(P[ix], num_samples=1, replacement=True, generator=g).item()
            out.append(itos.get(ix, "?"))
            if ix == 0:
                break
        found.append("".join(out))
    xs, ys = ngram_dataset(torch, 1)
    xs = xs[:, 0]
    for a, b in zip(xs, ys, strict=True):
        log_likelihood += torch.log(P[a, b])
        n += 1
    found.append((-log_likelihood / n).item())
    W = torch.randn((27, 27), generator=g, requires_grad=True)
    for _ in range(30):
        xenc = torch.nn.functional.one_hot(xs, num_classes=27).float()
        logits = xenc @ W
        counts = logits.exp()
        probs = counts / counts.sum(1, keepdims=True)
        loss = -probs[torch.arange(xs.nelement()), ys].log().mean() + 0.01 * (W**2).mean()
        W.grad = None
        loss.backward()
        W.data += -50 * W.grad
        found.append(loss.item())
    return found


def batch_norm_by_hand(torch, _):
    """makemore, parts 3 and 4: batch norm written out, its backward pass too."""
    F = torch.nn.functional
    X, Y = ngram_dataset(torch, 3)
    g = torch.Generator().manual_seed(2147483647)
    C = torch.randn((27, 10), generator=g)
    W1 = torch.randn((30, 64), generator=g) * (5 / 3) / (30**0.5)
    W2, b2 = torch.randn((64, 27), generator=g) * 0.01, torch.zeros(27)
    bngain, bnbias = torch.ones((1, 64)), torch.zeros((1, 64))
    mean_running, std_running = torch.zeros((1, 64)), torch.ones((1, 64))
    parameters = [C, W1, W2, b2, bngain, bnbias]
    for p in parameters:
        p.requires_grad = True
    found = [sum(p.nelement() for p in parameters)]
    for _ in range(40):
        ix = torch.randint(0, X.shape[0], (32,), generator=g)
        hpreact = C[X[ix]].view(32, -1) @ W1
        mean, std = hpreact.mean(0, keepdim=True), hpreact.std(0, keepdim=True)
        normed = (hpreact - mean) / std
        hpreact = bngain * normed + bnbias
        with torch.no_grad():
            mean_running = 0.999 * mean_running + 0.001 * mean
            std_running = 0.999 * std_running + 0.001 * std
        h = torch.tanh(hpreact)
        logits = h @ W2 + b2
        loss = F.cross_entropy(logits, Y[ix])
        for t in [*parameters, logits, h, hpreact, normed]:
            if not t.is_leaf:
                t.retain_grad()
            t.grad = None
        loss.backward()
        dlogits = F.softmax(logits, 1)
        dlogits[range(32), Y[ix]] -= 1
        dlogits /= 32
        dhpreact = (1.0 - h**2) * (dlogits @ W2.T)
        found.append(max((dlogits - logits.grad).abs().max().item(), (dhpreact - hpreact.grad).abs().max().item()) < 1e-6)
        found.append(torch.allclose((dhpreact * normed).sum(0, keepdim=True), bngain.grad, atol=1e-6))
        for p in parameters:
            p.data += -0.1 * p.grad
        found.append(loss.item())
    return [*found, mean_running.mean().item(), std_running.mean().item(), (h.abs() > 0.97).float().mean().item()]


def polynomial_with_tensors(torch, _):
    x = torch.linspace(-math.pi, math.pi, 2000, dtype=torch.float)
    y = torch.sin(x)
    a, b, c, d = (torch.randn((), dtype=torch.float, requires_grad=True) for _ in range(4))
    found = []
    for _ in range(60):
        y_pred = a + b * x + c * x**2 + d * x**3
        loss = (y_pred - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            for p in (a, b, c, d):
                p -= 1e-6 * p.grad
                p.grad = None
        found.append(loss.item())
    return [*found, a.item(), b.item(), c.item(), d.item()]


def polynomial_with_modules(torch, _):
    """The tutorials' nn, optim, own Function and own Module, one after the other."""
    nn, found = torch.nn, []
    x = torch.linspace(-math.pi, math.pi, 400)
    y = torch.sin(x)
    xx = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
    model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1))
    loss_fn = nn.MSELoss(reduction="sum")
    for _ in range(30):
        loss = loss_fn(model(xx), y)
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for param in model.parameters():
                param -= 1e-6 * param.grad
        found.append(loss.item())
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    for _ in range(30):
        loss = loss_fn(model(xx), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())

    class LegendrePolynomial3(torch.autograd.Function):
        @staticmethod
        def forward(ctx, input):
            ctx.save_for_backward(input)
            return 0.5 * (5 * input**3 - 3 * input)

        @staticmethod
        def backward(ctx, grad_output):
            (input,) = ctx.saved_tensors
            return grad_output * 1.5 * (5 * input**2 - 1)

    a, b, c, d = (torch.full((), v, requires_grad=True) for v in (0.0, -1.0, 0.0, 0.3))
    P3 = LegendrePolynomial3.apply
    for _ in range(30):
        loss = (a + b * P3(c + d * x) - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            for p in (a, b, c, d):
                p -= 5e-6 * p.grad
                p.grad = None
        found.append(loss.item())

    class Polynomial3(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Parameter(torch.randn(())), nn.Parameter(torch.randn(()))

        def forward(self, x):
            return self.a + self.b * x

        def string(self):
            return f"y = {self.a.item():.3f} + {self.b.item():.3f} x"

    line = Polynomial3()
    optimizer = torch.optim.SGD(line.parameters(), lr=1e-4)
    for _ in range(30):
        loss = nn.MSELoss(reduction="sum")(line(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return [*found, line.string()]


def quickstart(torch, folder):
    """The FashionMNIST quickstart on random images: train, test, save, load, predict."""
    nn, data = torch.nn, torch.utils.data

    class Images(data.Dataset):
        def __init__(self, count):
            self.images, self.labels = torch.rand(count, 1, 8, 8), torch.randint(0, 10, (count,))

        def __len__(self):
            return len(self.labels)

        def __getitem__(self, i):
            return self.images[i], int(self.labels[i])

    class NeuralNetwork(nn.Module):
        def __init__(self):
            super().__init__()
            self.flatten = nn.Flatten()
            self.linear_relu_stack = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10))

        def forward(self, x):
            return self.linear_relu_stack(self.flatten(x))

    device = torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
    train_dataloader = data.DataLoader(Images(200), batch_size=16, shuffle=True)
    test_dataloader = data.DataLoader(Images(50), batch_size=16)
    model = NeuralNetwork().to(device)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    found = [repr(model)]
    for _ in range(3):
        model.train()
        for batch, (X, y) in enumerate(train_dataloader):
            X, y = X.to(device), y.to(device)
            loss = loss_fn(model(X), y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if batch % 4 == 0:
                found += [loss.item(), (batch + 1) * len(X)]
        model.eval()
        test_loss, correct = 0, 0
        with torch.no_grad():
            for X, y in test_dataloader:
                pred = model(X.to(device))
                test_loss += loss_fn(pred, y).item()
                correct += (pred.argmax(1) == y).type(torch.float).sum().item()
        found += [test_loss / len(test_dataloader), correct / len(test_dataloader.dataset)]
    path = os.path.join(folder, f"{torch.__name__}.pth")
    torch.save(model.state_dict(), path)
    again = NeuralNetwork()
    found.append(repr(again.load_state_dict(torch.load(path, weights_only=True))))
    again.eval()
    x, y = test_dataloader.dataset[0]
    with torch.no_grad():
        pred = again(x)
    return [*found, int(pred[0].argmax(0)), y, *pred[0].tolist()]


def logistic_regression(torch, _):
    X = torch.randn(100, 3)
    y = (X @ torch.tensor([1.0, -2.0, 0.5]) + 0.1 * torch.randn(100) > 0).float()
    w, b = torch.zeros(3, requires_grad=True), torch.zeros(1, requires_grad=True)
    found = []
    for _ in range(50):
        p = 1 / (1 + torch.exp(-(X @ w + b)))
        loss = -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()
        loss.backward()
        with torch.no_grad():
            w -= 0.5 * w.grad
            b -= 0.5 * b.grad
        w.grad.zero_()
        b.grad.zero_()
        found.append(loss.item())
    return [*found, ((p > 0.5) == y.bool()).sum().item() / len(y), *w.tolist()]


def sine_waves_with_lbfgs(torch, _):
    """The time sequence example: two LSTM cells, double precision, LBFGS, and a prediction of what follows."""
    nn = torch.nn

    class Sequence(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm1, self.lstm2, self.linear = nn.LSTMCell(1, 11), nn.LSTMCell(11, 11), nn.Linear(11, 1)

        def forward(self, input, future=0):
            outputs = []
            h_t, c_t, h_t2, c_t2 = (torch.zeros(input.size(0), 11, dtype=torch.double) for _ in range(4))
            for input_t in input.split(1, dim=1):
                h_t, c_t = self.lstm1(input_t, (h_t, c_t))
                h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
                output = self.linear(h_t2)
                outputs += [output]
            for _ in range(future):
                h_t, c_t = self.lstm1(output, (h_t, c_t))
                h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
                output = self.linear(h_t2)
                outputs += [output]
            return torch.cat(outputs, dim=1)

    waves = np.sin((np.arange(24) + np.random.default_rng(2).integers(-40, 40, 6)[:, None]) / 4.0).astype("float64")
    input, target = torch.from_numpy(waves[2:, :-1]), torch.from_numpy(waves[2:, 1:])
    seq = Sequence()
    seq.double()
    criterion = nn.MSELoss()
    optimizer = torch.optim.LBFGS(seq.parameters(), lr=0.8, max_iter=6)
    found = []
    for _ in range(3):

        def closure():
            optimizer.zero_grad()
            loss = criterion(seq(input), target)
            found.append(loss.item())
            loss.backward()
            return loss

        optimizer.step(closure)
    with torch.no_grad():
        pred = seq(torch.from_numpy(waves[:2, :-1]), future=5)
    return [*found, *pred[0, -5:].tolist()]


LESSONS = {
    "micrograd's moons": moons,
    "makemore bigrams": bigrams,
    "makemore batch norm": batch_norm_by_hand,
    "polynomial with tensors": polynomial_with_tensors,
    "polynomial with modules": polynomial_with_modules,
    "quickstart": quickstart,
    "logistic regression": logistic_regression,
    "sine waves with LBFGS": sine_waves_with_lbfgs,
}
