"""The networks of gradstudy's `models` in PyTorch, under the same parameter names."""

import torch
import torch.nn.functional as F
from torch import nn


class FCN(nn.Module):
    """`depth` hidden layers, each linear, (BatchNorm,) activation; then linear."""

    def __init__(self, inputs, depth, width, batchnorm, activation, logits):
        super().__init__()
        self.depth, self.batchnorm = depth, batchnorm
        self.activation = {"relu": F.relu, "tanh": torch.tanh, "none": lambda x: x}[activation]
        for i in range(1, depth + 1):
            setattr(self, f"fc{i}", nn.Linear(inputs, width))
            if batchnorm:
                setattr(self, f"bn{i}", nn.BatchNorm1d(width))
            inputs = width
        setattr(self, f"fc{depth + 1}", nn.Linear(inputs, logits))

    def forward(self, x):
        x = x.flatten(1)
        for i in range(1, self.depth + 1):
            x = getattr(self, f"fc{i}")(x)
            if self.batchnorm:
                x = getattr(self, f"bn{i}")(x)
            x = self.activation(x)
        return getattr(self, f"fc{self.depth + 1}")(x)


class Attention(nn.Module):
    def __init__(self, dim, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        n, tokens, dim = x.shape
        q, k, v = self.qkv(x).reshape(n, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.proj(y.transpose(1, 2).reshape(n, tokens, dim))


class Mlp(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Pre-norm: x + attention(norm x), then y + perceptron(norm y)."""

    def __init__(self, dim, heads, causal):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, heads, causal)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    """Patches, learned positions, blocks, norm, mean over the positions, linear."""

    def __init__(self, shape, patch, dim, depth, heads, logits):
        super().__init__()
        channels, height, width = shape
        self.patch_embed = nn.Conv2d(channels, dim, patch, patch)
        self.pos_embed = nn.Embedding((height // patch) * (width // patch), dim)
        nn.init.normal_(self.pos_embed.weight, std=0.02)
        self.blocks = nn.Sequential(*(Block(dim, heads, False) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, logits)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2) + self.pos_embed.weight
        return self.head(self.norm(self.blocks(x)).mean(1))


class GPT(nn.Module):
    """Characters and learned positions, causal blocks, norm, linear at each position: [samples, logits, positions]."""

    def __init__(self, context, dim, depth, heads, logits):
        super().__init__()
        self.token_embed = nn.Embedding(logits, dim)
        self.pos_embed = nn.Embedding(context, dim)
        self.blocks = nn.Sequential(*(Block(dim, heads, True) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, logits)

    def forward(self, tokens):
        x = self.token_embed(tokens.flatten(1).long()) + self.pos_embed.weight
        return self.head(self.norm(self.blocks(x))).transpose(1, 2)


class LeNet(nn.Module):
    def __init__(self, shape, padding, logits):
        super().__init__()
        channels, height, width = shape
        side = lambda n: ((n + 2 * padding - 4) // 2 - 4) // 2
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=padding)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * side(height) * side(width), 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, logits)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet18(nn.Module):
    """ResNet18 for small images: 3x3 stem of stride 1, no max-pooling, four stages of two basic blocks."""

    def __init__(self, channels, width, logits):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for stage in range(4):
            outputs = width << stage
            blocks = [BasicBlock(inputs, outputs, 1 if stage == 0 else 2), BasicBlock(outputs, outputs, 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
            inputs = outputs
        self.linear = nn.Linear(inputs, logits)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in range(4):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.linear(x.mean((2, 3)))
