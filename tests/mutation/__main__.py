"""`python -m tests.mutation [PATTERN ...]`: exits with 1 where a mutant that nobody has explained goes unnoticed."""

import sys
from pathlib import Path

from tests.mutation import tree
from tests.mutation.survivors import explanations, read

EXPLAINED = Path(__file__).with_name("explained.toml")


def main(patterns: list[str]) -> int:
    """Run the mutants, and print those that no test noticed and nobody has explained."""
    tree.copy()
    if code := tree.run(patterns):
        print(f"mutmut exited with {code}; no result was read", file=sys.stderr)
        return code
    results, explained = read(tree.MUTATED), explanations(EXPLAINED)
    if results.total == results.not_run:
        print(f"no mutant was run; there are {results.total}, and none matches {patterns}", file=sys.stderr)
        return 1
    unexplained = [mutant for mutant in results.unnoticed if not any(each.covers(mutant) for each in explained)]
    for mutant in unexplained:
        print(f"\n{mutant.function}\n  was:     {mutant.was!r}\n  becomes: {mutant.becomes!r}")
    noticed = results.total - results.not_run - len(results.unnoticed)
    print(
        f"\n{results.total} mutants: {noticed} noticed by a test, {len(results.unnoticed)} not "
        f"({len(unexplained)} of them unexplained), {results.not_run} not run"
    )
    if unexplained:
        print(f"Write a test that notices it, or say in {EXPLAINED.name} why none can.", file=sys.stderr)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
