"""Gradients of LeNet with chosen sides of its kinks.

ReLU and max-pooling have kinks: where a pre-activation is within rounding of zero, or two entries of a pooling
window within rounding of each other, float32 and float64 (or two orders of summation) take different sides, and
both gradients are right. ReLU and max commute, so LeNet is written here as pool, then ReLU: a kink is either a
sign (of the pooled maximum or of a hidden unit) or a choice (the window's largest or second-largest entry).
"""

import torch
import torch.nn.functional as F


def _windows(h):
    """Entries of every 2x2 window in row-major order: [B, C, H/2, W/2, 4]."""
    b, c, rows, cols = h.shape
    h = h[:, :, : rows // 2 * 2, : cols // 2 * 2].reshape(b, c, rows // 2, 2, cols // 2, 2)
    return h.permute(0, 1, 2, 4, 3, 5).reshape(b, c, rows // 2, cols // 2, 4)


def _forward(model, x, flips):
    """Logits, and the distance to every kink as {(layer, kind): tensor} relative to the layer's rms."""
    margins = {}

    def relu(name, h):
        margins[name, "sign"] = (h.abs() / h.square().mean().sqrt()).detach()
        mask = (h > 0).reshape(-1)
        for i in flips.get((name, "sign"), ()):
            mask[i] = ~mask[i]
        return h * mask.reshape(h.shape)

    def pool(name, h):
        windows = _windows(h)
        top, order = windows.detach().sort(dim=-1, descending=True, stable=True)
        # A choice matters only where the winner is positive and the two are not copies of each other: equal
        # patches (a constant background) tie exactly and give the same gradient of the weights.
        gap = (top[..., 0] - top[..., 1]) / h.detach().square().mean().sqrt()
        margins[name, "choice"] = torch.where((top[..., 0] > 0) & (gap > 0), gap, torch.inf)
        choice = order[..., 0].reshape(-1).clone()
        for i in flips.get((name, "choice"), ()):
            choice[i] = order[..., 1].reshape(-1)[i]
        return windows.gather(-1, choice.reshape(*gap.shape, 1))[..., 0]

    h = relu("conv1", pool("conv1", model.conv1(x)))
    h = relu("conv2", pool("conv2", model.conv2(h)))
    h = relu("fc1", model.fc1(h.flatten(1)))
    h = relu("fc2", model.fc2(h))
    return model.fc3(h), margins


def column(model, x, y, flips=None):
    """The gradient column of the mean cross-entropy with the kinks in `flips` taken on their other side."""
    logits, _ = _forward(model, x, flips or {})
    grads = torch.autograd.grad(F.cross_entropy(logits, y), list(model.parameters()))
    return torch.cat([g.reshape(-1) for g in grads])


def near(model, x, within):
    """The kinks nearer than `within` (relative to the layer's rms) as (layer, kind, flat index)."""
    with torch.no_grad():
        _, margins = _forward(model, x, {})
    return [(*key, int(i)) for key, m in margins.items() for i in (m.reshape(-1) < within).nonzero()[:, 0]]


def nearest(model, x):
    """The least distance to a kink over the minibatch."""
    with torch.no_grad():
        _, margins = _forward(model, x, {})
    return min(float(m.min()) for m in margins.values())


def unexplained(model, x, y, reference, residual, within=3e-6, most=64):
    """What is left of `residual` when the near kinks may lie on either side, and how many were near.

    Each near kink contributes the change that flipping it makes; the least-squares combination of those
    changes is taken off. Returns (residual norm left / norm of the reference, kinks tried).
    """
    kinks = near(model, x, within)[:most]
    if not kinks:
        return float(residual.norm() / reference.norm()), 0
    changes = [column(model, x, y, {(layer, kind): [i]}) - reference for layer, kind, i in kinks]
    basis = torch.stack(changes, 1)
    share = torch.linalg.lstsq(basis, residual[:, None], driver="gelsd").solution
    left = residual - (basis @ share)[:, 0]
    return float(left.norm() / reference.norm()), len(kinks)
