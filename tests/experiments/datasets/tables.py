"""Small tables of the kind that people bring, drawn from a seed."""

from pathlib import Path

import numpy as np

LEVELS = ("loft", "new", "old")


def clinic(folder: Path, m: int = 120) -> Path:
    """Write measurements of unlike ranges with a yes or no that two of them decide."""
    rng = np.random.default_rng(5)
    age, sugar, pressure = rng.integers(21, 80, m), rng.integers(60, 200, m), rng.integers(50, 110, m)
    positive = (0.03 * age + 0.05 * sugar + rng.normal(0, 0.5, m) > 8).astype(int)
    rows = [f"{a},{s},{p},{y}" for a, s, p, y in zip(age, sugar, pressure, positive, strict=True)]
    return written(folder / "clinic.csv", "age,sugar,pressure,positive", rows)


def flats(folder: Path, m: int = 120) -> Path:
    """Write flats with a word among the numbers, and prices of hundreds of thousands."""
    rng = np.random.default_rng(6)
    area, rooms, kind = rng.integers(20, 200, m), rng.integers(1, 8, m), rng.integers(0, 3, m)
    price = (2000 * area + 9000 * rooms + 20_000 * kind + rng.normal(0, 5000, m)).round(-2).astype(int)
    rows = [f"{a},{r},{LEVELS[k]},{p}" for a, r, k, p in zip(area, rooms, kind, price, strict=True)]
    return written(folder / "flats.csv", "area,rooms,kind,price", rows)


def flowers(folder: Path, m: int = 60) -> Path:
    """Write three species by name, and a column that is the same everywhere."""
    rng = np.random.default_rng(7)
    names, petal = ("setosa", "virginica", "versicolor"), (1.4, 5.5, 4.2)
    rows = [f"{rng.normal(5.5, 0.6):.2f},{rng.normal(petal[i % 3], 0.2):.2f},0.1,{names[i % 3]}" for i in range(m)]
    return written(folder / "flowers.csv", "sepal,petal,site,species", rows)


def broken(folder: Path) -> Path:
    """Write an empty cell, and a word among numbers."""
    return written(folder / "broken.csv", "p,q,r", ["1,2,0", "4,5,1", "7,,1", "8,x,0", "9,3,1"])


def written(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path
