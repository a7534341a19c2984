"""The main job on real servers, shown and checked: `make demo`."""
