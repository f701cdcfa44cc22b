"""Rules of supervision (监察规则): data with versions, each judged by one statement over all cases."""
