"""What goes to and fro between us and other servers that speak ODK Central's `/v1`, one step at a time.

run.py makes an exchange of the steps that forms.py, records.py, answers.py and lists.py find to do.
"""
