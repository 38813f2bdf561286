"""Names of the tables as a sentence writes them."""


def words(name: str) -> str:
    """Return a name as a sentence writes it: learning rate high.

    Args:
        name: of a cause, a verdict or a column.
    """
    return name.replace("_", " ")
