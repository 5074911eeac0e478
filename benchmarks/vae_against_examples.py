"""The VAE of the well-known PyTorch example on real MNIST: its own way of training, and ours.

    python benchmarks/vae_against_examples.py [--epochs 10] [--rounds 3]

The same network (784-400-20), batches of 128 and Adam at 1e-3 in both. The plain way reads one
image at a time through a DataLoader with ToTensor and asks for the loss at every step, as
the example does; ours is `fit`. They take turns, so that a machine whose speed drifts slows both.
Ours is timed in float32 and under bfloat16 autocast, which some processors compute faster. After
ten epochs the test ELBO is measured, in float32, by decoding a sample of the posterior.
"""

import argparse
import dataclasses
import platform
import statistics
import time

import torch
from torch import nn
from torch.nn import functional

from course_utils import (
    data,
    fit,
    losses,
    models,
)
from course_utils.session.lab import start

BATCH = 128


class PlainVAE(nn.Module):
    """The network as the example lays it out, with two heads on the encoder."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 400)
        self.mean = nn.Linear(400, 20)
        self.log_variance = nn.Linear(400, 20)
        self.up = nn.Linear(20, 400)
        self.out = nn.Linear(400, 784)

    def forward(self, x):
        hidden = functional.relu(self.hidden(x.view(-1, 784)))
        mu, logvar = self.mean(hidden), self.log_variance(hidden)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return torch.sigmoid(self.out(functional.relu(self.up(z)))), mu, logvar


def plain_epochs(root, epochs: int):
    """Seconds of each epoch of the plain way."""
    from torchvision import datasets, transforms

    images = datasets.MNIST(root, train=True, transform=transforms.ToTensor())
    loader = torch.utils.data.DataLoader(images, batch_size=BATCH, shuffle=True)
    vae = PlainVAE()
    optimiser = torch.optim.Adam(vae.parameters(), lr=1e-3)
    for _ in range(epochs):
        began, total = time.perf_counter(), 0.0
        for x, _ in loader:
            optimiser.zero_grad()
            drawn, mu, logvar = vae(x)
            bce = functional.binary_cross_entropy(drawn, x.view(-1, 784), reduction="sum")
            loss = bce - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
            loss.backward()
            total += loss.item()
            optimiser.step()
        yield time.perf_counter() - began


def vae_step(x, nets, opts):
    """The same loss, summed over the batch."""
    logits, mu, logvar = nets.vae(x)
    loss = losses.binary_cross_entropy(logits, x).sum() + losses.gaussian_kl(mu, logvar).sum()
    opts.vae.minimise(loss)
    return {"loss": loss / len(x)}


@torch.no_grad()
def test_loss(vae, images) -> float:
    """Minus the ELBO on grey targets, nats an image, from one sample of the posterior each."""
    logits, mu, logvar = vae(images)
    negative_elbo = losses.binary_cross_entropy(logits, images) + losses.gaussian_kl(mu, logvar)
    return negative_elbo.mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10, help="epochs of ours in each round")
    parser.add_argument("--plain-epochs", type=int, default=2, help="epochs of the plain way")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    lab = start("benchmark")
    train = data.load("mnist", root=lab.data_folder, device=lab.device).images
    held_out = data.load("mnist", "test", root=lab.data_folder, device=lab.device).images

    def ours(precision: str, seed: int) -> tuple[float, float]:
        """Seconds per epoch, and the test loss."""
        torch.manual_seed(seed)
        vae = models.VariationalAutoencoder(20, hidden=400)
        session = dataclasses.replace(lab, precision=precision)
        run = fit(vae_step, train, {"vae": vae}, session, epochs=options.epochs, batch_size=BATCH)
        return run.seconds / options.epochs, test_loss(vae, held_out)

    rows = []
    for seed in range(options.rounds):
        before = list(plain_epochs(lab.data_folder, options.plain_epochs))
        exact, half = ours("float32", seed), ours("bf16", seed)
        plain = statistics.median(before + list(plain_epochs(lab.data_folder, 1)))
        rows.append((plain, *exact, *half))
    columns = [*zip(*rows)]
    plain, exact, exact_loss, half, half_loss = (statistics.median(column) for column in columns)
    ratios = [statistics.median(row[0] / row[place] for row in rows) for place in (1, 3)]
    print(f"\n{platform.machine()}, torch {torch.__version__}, {torch.get_num_threads()} threads, ")
    print(f"medians of {options.rounds} rounds, {options.epochs} epochs of ours in each\n")
    print("| | images/s | ratio | test loss, nats per image |\n|---|---|---|---|")
    print(f"| plain | {60_000 / plain:.0f} | 1 | |")
    print(f"| fit, float32 | {60_000 / exact:.0f} | {ratios[0]:.2f} | {exact_loss:.2f} |")
    print(f"| fit, bf16 | {60_000 / half:.0f} | {ratios[1]:.2f} | {half_loss:.2f} |")
    for number, row in enumerate(rows):
        print(f"round {number}: " + ", ".join(f"{value:.2f}" for value in row))


if __name__ == "__main__":
    main()
