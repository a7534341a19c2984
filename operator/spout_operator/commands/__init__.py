"""The commands of the command line, a module each. They import what they need when they run: --help is quick."""
