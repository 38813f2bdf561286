"""A factory whose keys take words, lists of words, or either."""


def make(words: list[str] | None = None, either: str | list[str] = "a", number: float = 1.0, word: str = "a") -> object:
    return object()
