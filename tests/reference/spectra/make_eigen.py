"""Largest eigenvalues of symmetric matrices of uniform numbers, by NumPy (LAPACK dsyevd): `eigen.json`.

    python make_eigen.py
"""
import json
import pathlib

import numpy as np

from make_moments import draws

cases = []
for order, seed, top in [(7, 1, 7), (64, 2, 64), (129, 3, 129), (600, 4, 200)]:
    a = np.zeros((order, order))
    a[np.triu_indices(order)] = draws(order * (order + 1) // 2, seed)  # row j of the upper = column j of the lower
    a = a + np.triu(a, 1).T
    cases.append(dict(order=order, seed=seed, values=sorted(np.linalg.eigvalsh(a), reverse=True)[:top]))
path = pathlib.Path(__file__).with_name("eigen.json")
path.write_text(json.dumps(dict(numpy=np.__version__, cases=cases)) + "\n")
