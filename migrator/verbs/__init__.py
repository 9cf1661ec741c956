"""Verbs of the command line: parse, call one step, print, exit. Nothing is decided here."""
