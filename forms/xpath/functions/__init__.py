"""The functions of ODK forms, one module per family. Importing this package registers all of them."""

from forms.xpath.functions import dates, geo, lists, logic, nodesets, numbers, random, secrets, selects, strings

FAMILIES = (dates, geo, lists, logic, nodesets, numbers, random, secrets, selects, strings)
