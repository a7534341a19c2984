"""Mutation testing, by `make mutants`: do the tests of the core, the election and the controller see a fault?"""
