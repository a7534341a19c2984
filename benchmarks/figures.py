"""The output format of a figure."""


def show(what: str, figure: str) -> None:
    """Print one row: a label and its figure."""
    print(f"{what:<58} {figure}", flush=True)
