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
