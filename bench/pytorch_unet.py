# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

"""Times the network of a HUD model in PyTorch: the same layers, weights, training step and sampler.

usage: pytorch_unet.py MODEL ITERATIONS THREADS
"""

import json
import math
import statistics
import struct
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


def norm(channels):
    return nn.GroupNorm(8, channels)


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, embedding):
        super().__init__()
        self.norm1 = norm(inputs)
        self.convolution1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.embedding = nn.Linear(embedding, outputs)
        self.norm2 = norm(outputs)
        self.convolution2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        if inputs != outputs:
            self.skip = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, embedding):
        hidden = self.convolution1(F.silu(self.norm1(x)))
        hidden = hidden + self.embedding(F.silu(embedding))[:, :, None, None]
        hidden = self.convolution2(F.silu(self.norm2(hidden)))
        return hidden + (self.skip(x) if hasattr(self, "skip") else x)


class AttentionBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = norm(channels)
        self.query_key_value = nn.Conv2d(channels, 3 * channels, 1)
        self.output = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        query, key, value = self.query_key_value(self.norm(x)).flatten(2).chunk(3, 1)
        weights = torch.softmax(torch.bmm(query.transpose(1, 2), key) / math.sqrt(x.shape[1]), 2)
        return x + self.output(torch.bmm(value, weights.transpose(1, 2)).view_as(x))


class UNet(nn.Module):
    def __init__(self, channels, width, multipliers, blocks, attention):
        super().__init__()
        self.width, self.blocks, self.levels = width, blocks, len(multipliers)
        embedding = 4 * width
        self.time1 = nn.Linear(width, embedding)
        self.time2 = nn.Linear(embedding, embedding)
        self.input = nn.Conv2d(channels, width, 3, padding=1)
        self.down, self.down_sampling, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        skips, current = [width], width
        for level, multiplier in enumerate(multipliers):
            for _ in range(blocks):
                self.down.append(ResidualBlock(current, width * multiplier, embedding))
                current = width * multiplier
                skips.append(current)
            if level + 1 < self.levels:
                self.down_sampling.append(nn.Conv2d(current, current, 3, stride=2, padding=1))
                skips.append(current)
        self.middle1 = ResidualBlock(current, current, embedding)
        self.attention = AttentionBlock(current) if attention else None
        self.middle2 = ResidualBlock(current, current, embedding)
        for multiplier in reversed(multipliers):
            for _ in range(blocks + 1):
                self.up.append(ResidualBlock(current + skips.pop(), width * multiplier, embedding))
                current = width * multiplier
        self.output_norm = norm(current)
        self.output = nn.Conv2d(current, channels, 3, padding=1)

    def forward(self, x, relative_time):
        half = self.width // 2
        frequencies = torch.exp(torch.arange(half) * (-math.log(1e4) / half))
        angles = relative_time[:, None] * 1000 * frequencies
        embedding = self.time2(F.silu(self.time1(torch.cat([angles.cos(), angles.sin()], 1))))
        hidden = self.input(x)
        skips, down, up = [hidden], iter(self.down), iter(self.up)
        for level in range(self.levels):
            for _ in range(self.blocks):
                hidden = next(down)(hidden, embedding)
                skips.append(hidden)
            if level + 1 < self.levels:
                hidden = self.down_sampling[level](hidden)
                skips.append(hidden)
        hidden = self.middle1(hidden, embedding)
        if self.attention is not None:
            hidden = self.attention(hidden)
        hidden = self.middle2(hidden, embedding)
        for level in reversed(range(self.levels)):
            for _ in range(self.blocks + 1):
                hidden = next(up)(torch.cat([hidden, skips.pop()], 1), embedding)
            if level > 0:
                hidden = F.interpolate(hidden, scale_factor=2, mode="nearest")
        return self.output(F.silu(self.output_norm(hidden)))


class Diffusion:
    """Velocity prediction on the linear schedule, preconditioned."""

    def __init__(self, timesteps, data_sd):
        scale = 1000 / timesteps
        beta = torch.linspace(1e-4, 0.02, timesteps, dtype=torch.float64) * scale
        alpha_bar = torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - beta, 0)])
        variance = (1 - alpha_bar) + data_sd**2 * alpha_bar
        self.timesteps = timesteps
        self.signal = alpha_bar.sqrt().float()
        self.noise = (1 - alpha_bar).sqrt().float()
        self.skip = (self.signal * self.noise * (1 - data_sd**2) / variance).float()
        self.scale = (data_sd / variance.sqrt()).float()

    def predict(self, network, noised, timesteps):
        def at(table):
            return table[timesteps].view(-1, 1, 1, 1)

        return at(self.skip) * noised + at(self.scale) * network(noised, timesteps / self.timesteps)


def read_model(path):
    """Returns the description and the averaged weights of a HUD model."""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    description = json.loads(header.pop("__metadata__")["model"])
    weights = {}
    for name, entry in header.items():
        if name.startswith("ema."):
            begin, end = entry["data_offsets"]
            values = torch.frombuffer(bytearray(data[8 + size + begin : 8 + size + end]), dtype=torch.float32)
            weights[name[len("ema.") :]] = values.view(entry["shape"])
    return description, weights


def time_training(network, diffusion, options, channels, iterations):
    optimiser = torch.optim.Adam(network.parameters(), options["learning_rate"])
    average = [parameter.detach().clone() for parameter in network.parameters()]
    patch, batch = options["patch"], options["batch"]
    scene = torch.randn(channels, 128, 128)
    times = []
    for _ in range(iterations):
        begin = time.perf_counter()
        corners = torch.randint(128 - patch + 1, (batch, 2)).tolist()
        clean = torch.stack([scene[:, y : y + patch, x : x + patch] for y, x in corners])
        noise = torch.randn_like(clean)
        timesteps = torch.randint(1, diffusion.timesteps + 1, (batch,))
        signal = diffusion.signal[timesteps].view(-1, 1, 1, 1)
        sigma = diffusion.noise[timesteps].view(-1, 1, 1, 1)
        prediction = diffusion.predict(network, signal * clean + sigma * noise, timesteps)
        loss = F.mse_loss(prediction, signal * noise - sigma * clean)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            for mean, parameter in zip(average, network.parameters()):
                mean.lerp_(parameter, 1 - options["ema_decay"])
        loss.item()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def time_sampling(network, diffusion, channels, patch):
    """DPM-Solver++(2M) in 20 steps, 64 patches in two batches of 32."""
    begin = time.perf_counter()
    steps = [round(diffusion.timesteps * (20 - i) / 20) for i in range(21)]
    with torch.no_grad():
        for _ in range(2):
            current, previous, step_before = torch.randn(32, channels, patch, patch), None, None
            for t, s in zip(steps, steps[1:]):
                timesteps = torch.full((32,), t)
                velocity = diffusion.predict(network, current, timesteps)
                clean = diffusion.signal[t] * current - diffusion.noise[t] * velocity
                clean = clean.clamp(-4, 4)
                if s == 0:
                    current = clean
                    break
                signal, sigma = diffusion.signal, diffusion.noise
                step = math.log(signal[s] / sigma[s]) - math.log(signal[t] / sigma[t])
                guess = clean
                if previous is not None:
                    guess = clean + step / (2 * step_before) * (clean - previous)
                current = sigma[s] / sigma[t] * current - signal[s] * math.expm1(-step) * guess
                previous, step_before = clean, step
    return time.perf_counter() - begin


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    torch.set_num_threads(int(sys.argv[3]))
    description, weights = read_model(sys.argv[1])
    options, architecture = description["options"], description["network"]
    channels = weights["input.weight"].shape[1]
    network = UNet(channels, architecture["width"], architecture["multipliers"], architecture["blocks"],
                   architecture["attention"])
    network.load_state_dict(weights)  # fails if a layer differs
    diffusion = Diffusion(options["timesteps"], options["preconditioning_sd"])
    print(f"training step: {time_training(network, diffusion, options, channels, int(sys.argv[2])):.5f} s")
    print(f"64 patches in 20 steps: {time_sampling(network, diffusion, channels, options['patch']):.5f} s")


if __name__ == "__main__":
    main()
