"""Who is this record about? Names, candidates, weights, decisions: pure functions of records and one frozen model.

No database, no web, no clock. record.py holds what goes in; features.py what is compared; blocking.py finds candidates;
comparisons.py, ladders.py and score.py weigh them; decision.py makes persons of them; training.py makes a model;
files.py does all of it for a spreadsheet.
"""
