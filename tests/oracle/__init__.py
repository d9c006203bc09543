"""JavaRosa as the oracle: its driver, the forms it is asked about, and the tests that hold our engine against it."""
