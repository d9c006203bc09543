"""The expression language of ODK forms with the semantics of JavaRosa, the engine inside ODK Collect.

compiler.py is the way in: one expression of one form becomes closures, once. Nothing is imported here, because
forms/node.py and this package need each other's parts.
"""
