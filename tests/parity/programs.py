"""Whole programs as learners write them, each a function of `torch` that gives its losses (and what it made in the end)."""

import math

import numpy as np

NAMES = [
    "emma", "olivia", "ava", "isabella", "sophia", "mia", "charlotte", "amelia", "harper", "evelyn", "abigail", "emily", "liam",
    "noah", "oliver", "james",
]  # fmt: skip
LETTERS = {letter: i for i, letter in enumerate([".", *sorted(set("".join(NAMES)))])}
TEXT = "to be or not to be that is the question whether it is nobler in the mind to suffer " * 8


def mlp_with_dropout(torch, steps):
    from_numpy, nn, data = torch.from_numpy, torch.nn, torch.utils.data
    rng = np.random.default_rng(0)
    x, y = from_numpy(rng.random((256, 20), np.float32)), from_numpy(rng.integers(0, 4, 256))
    loader = data.DataLoader(data.TensorDataset(x, y), batch_size=32, shuffle=True, drop_last=True)
    model = nn.Sequential(
        nn.Linear(20, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 16), nn.Tanh(), nn.Dropout(), nn.Linear(16, 4)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    losses = []
    while True:
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if len(losses) == steps:
                return losses


def cnn_with_batch_norm(torch, steps):
    nn, F = torch.nn, torch.nn.functional

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
            self.conv2, self.bn2 = nn.Conv2d(4, 8, 3, stride=2), nn.BatchNorm2d(8)
            self.pool, self.fc = nn.MaxPool2d(2), nn.Linear(8, 3)

        def forward(self, x):
            x = self.pool(F.relu(self.bn1(self.conv1(x))))
            x = F.relu(self.bn2(self.conv2(x)))
            return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))

    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=max(steps // 4, 1), gamma=0.5)
    images, labels = torch.randn(64, 1, 12, 12), torch.randint(0, 3, (64,))
    losses = []
    for i in range(steps):
        picked = torch.arange(i * 16, i * 16 + 16) % 64
        loss = F.cross_entropy(net(images[picked]), labels[picked])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    net.eval()
    with torch.no_grad():
        losses.append((net(images).argmax(1) == labels).float().mean().item())
    return [*losses, scheduler.get_last_lr()[0], *net.bn1.running_mean.tolist(), net.bn2.num_batches_tracked.item()]


def character_transformer(torch, steps):
    nn, F = torch.nn, torch.nn.functional
    letters = sorted(set(TEXT))
    stoi = {c: i for i, c in enumerate(letters)}
    data = torch.tensor([stoi[c] for c in TEXT], dtype=torch.long)
    block, width, heads, batch = 16, 24, 3, 4

    class CausalSelfAttention(nn.Module):
        def __init__(self):
            super().__init__()
            self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.attn_dropout, self.resid_dropout = nn.Dropout(0.1), nn.Dropout(0.1)
            self.register_buffer("bias", torch.tril(torch.ones(block, block)).view(1, 1, block, block))

        def forward(self, x):
            B, T, C = x.size()
            q, k, v = self.c_attn(x).split(width, dim=2)
            q, k, v = (t.view(B, T, heads, C // heads).transpose(1, 2) for t in (q, k, v))
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf"))
            y = self.attn_dropout(F.softmax(att, dim=-1)) @ v
            return self.resid_dropout(self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C)))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln_1, self.attn, self.ln_2 = nn.LayerNorm(width), CausalSelfAttention(), nn.LayerNorm(width)
            self.mlp = nn.ModuleDict({
                "c_fc": nn.Linear(width, 4 * width), "act": nn.GELU(approximate="tanh"), "c_proj": nn.Linear(4 * width, width),
            })  # fmt: skip

        def forward(self, x):
            x = x + self.attn(self.ln_1(x))
            return x + self.mlp.c_proj(self.mlp.act(self.mlp.c_fc(self.ln_2(x))))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.transformer = nn.ModuleDict({
                "wte": nn.Embedding(len(letters), width), "wpe": nn.Embedding(block, width), "drop": nn.Dropout(0.1),
                "h": nn.ModuleList([Block() for _ in range(2)]), "ln_f": nn.LayerNorm(width),
            })  # fmt: skip
            self.lm_head = nn.Linear(width, len(letters), bias=False)
            self.transformer.wte.weight = self.lm_head.weight
            self.apply(self._init_weights)
            for name, p in self.named_parameters():
                if name.endswith("c_proj.weight"):
                    torch.nn.init.normal_(p, mean=0.0, std=0.02 / math.sqrt(4))

        def _init_weights(self, module):
            if isinstance(module, nn.Linear):
                torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
                if module.bias is not None:
                    torch.nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)

        def forward(self, idx, targets=None):
            pos = torch.arange(0, idx.size(1), dtype=torch.long, device=idx.device)
            x = self.transformer.drop(self.transformer.wte(idx) + self.transformer.wpe(pos))
            for layer in self.transformer.h:
                x = layer(x)
            x = self.transformer.ln_f(x)
            if targets is None:
                return self.lm_head(x[:, [-1], :]), None
            logits = self.lm_head(x)
            return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)

        def generate(self, idx, count):
            for _ in range(count):
                logits, _ = self(idx[:, -block:])
                logits = logits[:, -1, :] / 0.8
                v, _ = torch.topk(logits, min(10, logits.size(-1)))
                logits[logits < v[:, [-1]]] = -float("Inf")
                idx = torch.cat((idx, torch.multinomial(F.softmax(logits, dim=-1), num_samples=1)), dim=1)
            return idx

    model = GPT()
    decay = [p for p in model.parameters() if p.dim() >= 2]
    rest = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95))
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps, eta_min=1e-4)
    losses = []
    for _ in range(steps):
        ix = torch.randint(len(data) - block, (batch,))
        x = torch.stack([data[i : i + block] for i in ix])
        y = torch.stack([data[i + 1 : i + 1 + block] for i in ix])
        _, loss = model(x, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        text = model.generate(torch.zeros((1, 1), dtype=torch.long), 30)[0].tolist()
    return [*losses, "".join(letters[i] for i in text)]


def lstm_with_clipping(torch, steps):
    nn = torch.nn

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(27, 8)
            self.lstm = nn.LSTM(8, 16, num_layers=2, batch_first=True, dropout=0.2, bidirectional=True)
            self.fc = nn.Linear(32, 27)

        def forward(self, x, lengths):
            packed = nn.utils.rnn.pack_padded_sequence(self.embed(x), lengths, batch_first=True, enforce_sorted=False)
            output, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
            return self.fc(output)

    model = Tagger()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss(ignore_index=-100)
    names = [torch.tensor([LETTERS[c] for c in name]) for name in NAMES]
    losses = []
    for i in range(steps):
        rows = [names[(4 * i + j) % len(names)] for j in range(4)]
        x = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        y = nn.utils.rnn.pad_sequence([torch.roll(row, -1) for row in rows], batch_first=True, padding_value=-100)
        logits = model(x, torch.tensor([len(row) for row in rows]))
        loss = criterion(logits.reshape(-1, 27), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.25)
        optimizer.step()
        losses += [loss.item(), norm.item()]
    return losses


def ngram_dataset(torch, size):
    xs, ys = [], []
    for name in NAMES:
        context = [0] * size
        for letter in name + ".":
            xs.append(context)
            ys.append(LETTERS[letter])
            context = [*context[1:], LETTERS[letter]]
    return torch.tensor(xs), torch.tensor(ys)


def makemore_mlp(torch, steps):
    F = torch.nn.functional
    X, Y = ngram_dataset(torch, 3)
    itos = dict(enumerate(LETTERS))
    g = torch.Generator().manual_seed(2147483647)
    C = torch.randn((27, 10), generator=g)
    W1, b1 = torch.randn((30, 40), generator=g), torch.randn(40, generator=g)
    W2, b2 = torch.randn((40, 27), generator=g), torch.randn(27, generator=g)
    parameters = [C, W1, b1, W2, b2]
    for p in parameters:
        p.requires_grad = True
    losses = []
    for i in range(steps):
        ix = torch.randint(0, X.shape[0], (32,))
        emb = C[X[ix]]
        h = torch.tanh(emb.view(-1, 30) @ W1 + b1)
        loss = F.cross_entropy(h @ W2 + b2, Y[ix])
        for p in parameters:
            p.grad = None
        loss.backward()
        lr = 0.1 if i < steps // 2 else 0.01
        for p in parameters:
            p.data += -lr * p.grad
        losses.append(loss.item())
    g = torch.Generator().manual_seed(2147483647 + 10)
    for _ in range(5):
        out, context = [], [0] * 3
        while len(out) < 20:
            emb = C[torch.tensor([context])]
            h = torch.tanh(emb.view(1, -1) @ W1 + b1)
            probs = F.softmax(h @ W2 + b2, dim=1)
            ix = torch.multinomial(probs, num_samples=1, generator=g).item()
            context = [*context[1:], ix]
            out.append(ix)
            if ix == 0:
                break
        losses.append("".join(itos.get(i, "?") for i in out))
    return losses


def variational_autoencoder(torch, steps):
    nn, F = torch.nn, torch.nn.functional

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc21, self.fc22 = nn.Linear(36, 20), nn.Linear(20, 4), nn.Linear(20, 4)
            self.fc3, self.fc4 = nn.Linear(4, 20), nn.Linear(20, 36)

        def reparameterize(self, mu, logvar):
            std = torch.exp(0.5 * logvar)
            eps = torch.randn_like(std)
            return mu + eps * std

        def forward(self, x):
            h1 = F.relu(self.fc1(x.view(-1, 36)))
            mu, logvar = self.fc21(h1), self.fc22(h1)
            z = self.reparameterize(mu, logvar)
            return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar

    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    data = torch.bernoulli(torch.rand(128, 1, 6, 6))
    losses = []
    for i in range(steps):
        x = data[i * 16 % 128 : i * 16 % 128 + 16]
        optimizer.zero_grad()
        recon, mu, logvar = model(x)
        bce = F.binary_cross_entropy(recon, x.view(-1, 36), reduction="sum")
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        loss = bce + kld
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


TRAININGS = {
    "MLP with dropout and shuffling": mlp_with_dropout,
    "CNN with batch norm and StepLR": cnn_with_batch_norm,
    "character transformer": character_transformer,
    "LSTM with gradient clipping": lstm_with_clipping,
    "makemore MLP": makemore_mlp,
    "VAE": variational_autoencoder,
}
