"""Mutation testing, by `make mutants`: are the tests of the core and of the election good enough to see a fault?"""
