"""`python -m tests.mutation PART [PATTERN ...]`: exits with 1 where an unexplained mutant goes unnoticed."""

import sys
from collections import Counter
from pathlib import Path

from tests.mutation import tree
from tests.mutation.survivors import explanations, read

EXPLAINED = Path(__file__).with_name("explained.toml")


def main(part: str, patterns: list[str]) -> int:
    """Run the mutants of a part, and print those that no test noticed and nobody has explained."""
    if part not in tree.PARTS:
        print(f"found the part {part!r}, expected one of {', '.join(tree.PARTS)}", file=sys.stderr)
        return 2
    tree.copy(tree.PARTS[part])
    if code := tree.run(patterns):
        print(f"mutmut exited with {code}; no result was read", file=sys.stderr)
        return code
    modules, explained = [module for module in read(tree.MUTATED) if module.run], explanations(EXPLAINED)
    if not modules:
        print(f"no mutant was run: none matches {patterns}", file=sys.stderr)
        return 1
    total = Counter[str]()
    rows = []
    for module in modules:
        left = [mutant for mutant in module.unnoticed if not any(each.covers(mutant) for each in explained)]
        for mutant in left:
            print(f"\n{mutant.function}\n  was:     {mutant.was!r}\n  becomes: {mutant.becomes!r}")
        counts = {
            "mutants": module.run,
            "noticed": module.run - len(module.unnoticed),
            "explained": len(module.unnoticed) - len(left),
            "left": len(left),
        }
        rows.append((module.name, counts))
        total.update(counts)
    print("\n" + "".join(f"{name:>10}" for name in total) + "  module")
    for name, counts in [*rows, ("all that were run", total)]:
        print("".join(f"{count:>10}" for count in counts.values()) + f"  {name}")
    if total["left"]:
        print(f"Write a test that notices it, or say in {EXPLAINED.name} why none can.", file=sys.stderr)
    return 1 if total["left"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
