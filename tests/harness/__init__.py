"""What the tests from outside share: a PostgreSQL of their own, certificates, a gateway, clients."""
