"""Long work on models, in a child of its own: conversion, export and training.

`child` is the program, `converters` and `training` are what it can do, `archives` takes datasets apart.
"""
