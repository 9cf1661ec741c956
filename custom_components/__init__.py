"""Home Assistant's folder for integrations; a package, so that tests import this one and no other of that name."""
