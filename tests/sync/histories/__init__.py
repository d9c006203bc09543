"""Generated histories: simulated tablets and a server that live through the steps of a plan, without a database.

A plan is a list of steps that mean something in any number, so that a failing one can be made shorter. Living through
it gives records, a journal and a story; fresh servers then get the same in any order. Tablets keep their rows as ODK
Collect does; the server folds with the code that is tested.
"""
