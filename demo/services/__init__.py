"""The systems of departments that answer by themselves: REST, SOAP, a broker, an SFTP server; all on loopback only.

They are the demonstration's and stand for the departments'. `hub demo serve` runs them until it is stopped.
"""
