"""Relays: what a post without a link and its centre tell each other. How it gets there is relay.py's and bundles.py's.

Records, decisions and numbers go up; forms, sites, follow-up lists and revocations come down. Each side tells a line
until the other took it.
"""
