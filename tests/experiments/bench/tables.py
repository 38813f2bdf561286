"""Write the tables of the repair bench: two data sets of scikit-learn, times 100, a row an example, in scikit-learn's order.

python -m tests.experiments.bench.tables
"""

from experiments.bench.repair.nets import TABLES


def made() -> dict[str, str]:
    """Return name -> the text of a table."""
    from sklearn.datasets import make_blobs, make_circles

    drawn = {
        "circle": make_circles(1000, noise=0.1, random_state=1),
        "blob": make_blobs(1000, centers=3, n_features=2, cluster_std=2, random_state=2),
    }
    texts = {}
    for name, (x, classes) in drawn.items():
        rows = [f"{float(100 * one)!r},{float(100 * two)!r},{label}" for (one, two), label in zip(x, classes, strict=True)]
        texts[name] = "\n".join(["x,y,class", *rows]) + "\n"
    return texts


if __name__ == "__main__":
    for name, text in made().items():
        (TABLES / f"{name}.csv").write_text(text, encoding="utf-8")
