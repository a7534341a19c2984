"""How a figure is shown."""


def show(what: str, figure: str) -> None:
    """Print a row."""
    print(f"{what:<58} {figure}", flush=True)
