"""Shape of a spectrum, Davis-Kahan bounds and angles, and overlaps of eigenspaces, by NumPy in float64 with whole
covariance matrices: `measures.json`.

    python make_measures.py
"""
import json
import pathlib

import numpy as np

from make_moments import history


def covariance(g):
    noise = g - g.mean(axis=1, keepdims=True)
    return noise @ noise.T / g.shape[1]


def eigen(matrix, top):
    values, vectors = np.linalg.eigh(matrix)
    return values[::-1][:top], vectors[:, ::-1][:, :top]


def davis_kahan(g, top):
    half = g.shape[1] // 2
    first, second = covariance(g[:, :half]), covariance(g[:, half : 2 * half])
    values, v = eigen(first, half - 1)
    _, w = eigen(second, top)
    epsilon = np.linalg.norm(second - first, 2)
    s = np.log(values / values[-1]).mean()
    above = np.concatenate([[np.inf], values[:top]])
    gap = np.minimum(above[:top] - above[1:], values[:top] - values[1 : top + 1])
    cosine = np.abs(np.sum(v[:, :top] * w, axis=0))
    return dict(
        perturbation=epsilon,
        zipf_exponent=s,
        bounds=(2 * epsilon / gap).tolist(),
        power_law_bounds=(2 * epsilon * (np.arange(top) + 2.0) ** (s + 1) / values[0]).tolist(),
        sines=np.sqrt(1 - cosine**2).tolist(),
    )


def overlaps(g, h, top):
    _, v = eigen(covariance(g), top)
    _, w = eigen(covariance(h), top)
    return [float(np.linalg.norm(v[:, :k].T @ w[:, :k]) ** 2 / k) for k in range(1, top + 1)]


def spectrum():
    """A power law of 200 values with some scatter, whose first nine are lifted."""
    k = np.arange(1, 201)
    values = 2.0 * k**-1.3 * np.exp(0.05 * np.sin(7.0 * k))
    values[:9] *= 20.0
    return np.sort(values)[::-1]


def line(values, skip, weights):
    k = np.arange(1, len(values) + 1)
    slope, intercept = np.polyfit(np.log(k[skip:]), np.log(values[skip:]), 1, w=np.sqrt(weights(k[skip:])))
    return slope, np.log(values) - intercept - slope * np.log(k)


def outliers(values, head, deviations, factor):
    count = min(head, len(values) // 4)
    while True:
        slope, residuals = line(values, count, lambda k: 1.0 / k)
        bound = max(deviations * 1.4826 * np.median(np.abs(residuals[count:])), np.log(factor))
        above = np.flatnonzero(residuals[:count] > bound)
        left = int(above[-1]) + 1 if len(above) else 0
        if left == count:
            return count, -slope
        count = left


def shape(values):
    share = values / values.sum()
    slope, residuals = line(values, 0, np.ones_like)
    logs = np.log(values)
    count, bulk = outliers(values, 30, 3.0, 1.5)
    return dict(
        values=values.tolist(),
        effective_rank=float(np.exp(-(share * np.log(share)).sum())),
        slope=-slope,
        r_squared=1 - (residuals**2).sum() / ((logs - logs.mean()) ** 2).sum(),
        outliers=count,
        bulk_slope=bulk,
        outlier_gap=values[count - 1] / values[count],
    )


def main():
    cases = []
    for parameters, iterations, mean, seed, top in [(300, 80, 0.25, 4, 12), (40, 121, 4.0, 5, 8)]:
        g, h = history(parameters, iterations, mean, seed), history(parameters, iterations, mean, seed + 10)
        cases.append(
            dict(
                parameters=parameters,
                iterations=iterations,
                mean=mean,
                seed=seed,
                top=top,
                davis_kahan=davis_kahan(g, top),
                overlaps=overlaps(g, h, top),
            )
        )
    content = dict(numpy=np.__version__, cases=cases, shape=shape(spectrum()))
    path = pathlib.Path(__file__).with_name("measures.json")
    path.write_text(json.dumps(content, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
