"""What a release is checked by, before anything is published."""
