"""Pages of checks: what officers of issuing departments are asked, and checks whose case was never found."""
