"""The operator's figures on real servers: `make bench`."""
