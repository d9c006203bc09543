"""Invented records of this region, with the truth beside them: households, twins, namesakes, homonyms, slips.

Every person is made up. The lists hold spellings of common names as French, English, national and Portuguese writers
put them; they were written for this generator alone: linkage is not tried on names that it was taught.
"""
