"""The hub's API over HTTP: mounts the routes of the packages, and gives all of them one way in and one error shape."""
