"""Mutation testing, by `make mutants`: are the tests of the core, the election and the controller good enough to see a fault?"""
