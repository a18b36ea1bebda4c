"""Eigenvalues of covariance and second moment of small histories, by NumPy in float64: `moments.json`.

    python make_moments.py
"""
import json
import pathlib

import numpy as np

MASK = (1 << 64) - 1


def draws(count, state):
    """Uniform on [-0.5, 0.5), 24 bits each: exact in float32, and the same in tests/spectra."""
    out = np.empty(count)
    for i in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        out[i] = (state >> 40) / 2.0**24 - 0.5
    return out


def history(parameters, iterations, mean, seed):
    """Row i is uniform of width 1/(1 + i) around mean/(1 + i); column-major in float32."""
    u = draws(parameters * iterations, seed).reshape(iterations, parameters)
    scale = np.float32(1) / (np.float32(1) + np.arange(parameters, dtype=np.float32))
    return ((u.astype(np.float32) + np.float32(mean)) * scale).T.astype(np.float64)


def top(matrix):
    return sorted(np.linalg.eigvalsh(matrix), reverse=True)


def main():
    cases = []
    for parameters, iterations, mean, seed in [(300, 60, 0.25, 1), (40, 90, 4.0, 2), (700, 33, 0.0, 3)]:
        g = history(parameters, iterations, mean, seed)
        centre = (np.float32(0.5) / (np.float32(1) + np.arange(parameters, dtype=np.float32))).astype(np.float64)
        second = g @ g.T / iterations
        noise = g - g.mean(axis=1, keepdims=True)
        covariance = noise @ noise.T / iterations
        away = g - centre[:, None]
        rank = min(parameters, iterations)
        cases.append(
            dict(
                parameters=parameters,
                iterations=iterations,
                mean=mean,
                seed=seed,
                mean_norm=float(np.linalg.norm(g.mean(axis=1))),
                second_moment=top(second)[:rank],
                second_moment_trace=float(np.trace(second)),
                second_moment_square_trace=float((second**2).sum()),
                covariance=top(covariance)[: min(parameters, iterations - 1)],
                around_centre=top(away @ away.T / iterations)[:rank],
            )
        )
    path = pathlib.Path(__file__).with_name("moments.json")
    path.write_text(json.dumps(dict(numpy=np.__version__, cases=cases), indent=1) + "\n")


if __name__ == "__main__":
    main()
