"""What `nox -s bench` measures: decoding, streaming, importing and polling, beside their peers.

Not part of the test suite. Absolute numbers depend on the machine; the ratios of one run are what counts,
for its contenders take turns on the same core.
"""
