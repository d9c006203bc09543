"""Simulated tablets: ODK Collect as a server sees it, filling published forms with invented answers.

client.py speaks, tablet.py remembers and decides, filler.py answers the questions. No server code is used but the
readers of forms: what is sent here is what a stranger would send.
"""
