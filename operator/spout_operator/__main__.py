"""`spout-operator` and `python -m spout_operator`."""

from spout_operator.cli import main

if __name__ == "__main__":
    main()
