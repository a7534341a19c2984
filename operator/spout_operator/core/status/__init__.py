"""What a Spout's status says: conditions, commits and marker, built from what a reconcile found out."""
